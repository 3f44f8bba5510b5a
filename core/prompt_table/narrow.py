"""Which rows of a table are shown, and in what order: those that turned first. Arrays throughout, for 10,000 rows."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.prompt_table.standing import Counting, scores, turned_first
from core.prompt_table.table import FAILED, OPEN, RIGHT, UNSURE, WRONG, PromptTable

Which = Literal["all", "turned", "better", "worse", "wrong", "unsure", "open"]
WHICH: dict[Which, str] = {
    "all": "All rows",
    "turned": "Turned",
    "better": "Better than the baseline",
    "worse": "Worse than the baseline",
    "wrong": "Wrong under every version",
    "unsure": "Not agreed: unsure, failed or a tie",
    "open": "Not answered yet",
}
Order = Literal["turned", "file", "least"]
ORDERS: dict[Order, str] = {
    "turned": "Turned first",
    "file": "As in the dataset",
    "least": "Least right first",
}
TIE = 0.02
"""From this nearness of the two likeliest words on, an answer is said to hang on a tie."""


def shown_rows(
    table: PromptTable,
    which: Which = "all",
    order: Order = "turned",
    *,
    counting: Counting = "share",
    baseline: int = 0,
    mask: NDArray[np.bool_] | None = None,
    search: str = "",
) -> NDArray[np.intp]:
    """Places of the rows (≤ R,) that `which`, `mask` and `search` (in names, targets, answers) leave, in `order`."""
    found = scores(table, counting)
    with np.errstate(invalid="ignore"):
        change = found - found[:, [baseline]]
        keep = {
            "all": np.ones(len(table.rows), bool),
            "turned": (np.abs(change) > 0).any(1),
            "better": (change > 0).any(1),
            "worse": (change < 0).any(1),
            "wrong": (table.outcomes == WRONG).any((1, 2)) & ~(table.outcomes == RIGHT).any((1, 2)),
            "unsure": np.isin(table.outcomes, (UNSURE, FAILED)).any((1, 2)) | (table.ties < TIE).any((1, 2)),
            "open": (table.outcomes == OPEN).any((1, 2)),
        }[which]
    if mask is not None:
        keep = keep & mask
    words = search.casefold().strip()
    if words:
        keep = keep & np.array(
            [words in _text(table, at) if keep[at] else False for at in range(len(keep))], bool
        )
    if order == "turned":
        ranked = turned_first(table, counting, baseline)
    elif order == "least":
        known = np.isfinite(found)
        total = np.divide(
            np.nan_to_num(found).sum(1), known.sum(1), out=np.full(len(found), 2.0), where=known.any(1)
        )
        ranked = np.argsort(total, kind="stable")
    else:
        ranked = np.arange(len(table.rows))
    return ranked[keep[ranked]]


def _text(table: PromptTable, row: int) -> str:
    one = table.rows[row]
    return "\n".join([one.called, *one.targets, *map(str, table.answers[row].ravel())]).casefold()
