"""A table of prompts once it is asked: each cell's answers and verdicts as arrays, ready to sort, filter and count.

Axes: `R` rows, `C` columns (version × answerer, `TablePlan.columns`), `K` takes. Knows no store and no model; figures
stand in `standing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.checks.check import Outcome
from core.prompt_table.plan import TablePlan

RIGHT, WRONG, UNSURE, OPEN, FAILED, SKIPPED = 1, 0, -1, -2, -3, -4
CODE_OF: dict[str, int] = {
    "right": RIGHT,
    "wrong": WRONG,
    "unsure": UNSURE,
    "failed": FAILED,
    "skipped": SKIPPED,
}
OUTCOME_OF: dict[int, str] = {code: name for name, code in CODE_OF.items()} | {OPEN: ""}


@dataclass(frozen=True, slots=True)
class CellAnswer:
    """One take of one cell, as it is kept. `outcome` "failed": no answer came; "skipped": it was not to be asked (a
    column is empty, a small change finds nothing to change); `why` says the reason.
    """

    row: str
    column: int
    take: int
    answer: str
    outcome: Outcome | str
    why: str
    key: str = ""
    """Of the answer (`generation_key`); "" where it is not kept."""
    tie: float | None = None
    """How near the runner-up came at the closest word (difference of probabilities), where that is known."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of the dataset."""

    id: str
    called: str
    targets: tuple[str, ...]
    group: str = ""
    """Its source in the dataset, by which slices are made."""


@dataclass(frozen=True, eq=False)
class PromptTable:
    """Rows × columns × takes: `outcomes` (R, C, K) int8 by the codes above, texts as object arrays of that shape."""

    plan: TablePlan
    rows: tuple[TableRow, ...]
    outcomes: NDArray[np.int8]
    answers: NDArray[np.object_]
    whys: NDArray[np.object_]
    keys: NDArray[np.object_]
    ties: NDArray[np.float32]
    """NaN where it is not known."""

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(column.label for column in self.plan.columns)

    @property
    def answered(self) -> int:
        """Takes that have an answer or failed."""
        return int((self.outcomes != OPEN).sum())

    def only(self, mask: NDArray[np.bool_]) -> PromptTable:
        """The rows of `mask` (R,)."""
        at = np.flatnonzero(mask)
        rows = tuple(self.rows[int(i)] for i in at)
        parts = (self.outcomes, self.answers, self.whys, self.keys, self.ties)
        return PromptTable(self.plan, rows, *(part[at] for part in parts))  # type: ignore[arg-type]

    @property
    def as_it_is(self) -> PromptTable:
        """Without the takes whose prompt was changed a little."""
        kept = [at for at, take in enumerate(self.plan.takes) if not take.change]
        if len(kept) == len(self.plan.takes) or not kept:
            return self
        plan = replace(self.plan, takes=tuple(self.plan.takes[at] for at in kept))
        parts = (self.outcomes, self.answers, self.whys, self.keys, self.ties)
        return PromptTable(plan, self.rows, *(part[:, :, kept] for part in parts))  # type: ignore[arg-type]

    def lines(self) -> list[dict[str, Any]]:
        """One plain record a take that was asked: row, called, column, version, model, take, answer, outcome, why …"""
        plan, found = self.plan, []
        for r, c, k in np.argwhere(self.outcomes != OPEN).tolist():
            row, column, take = self.rows[r], plan.columns[c], plan.takes[k]
            found.append(
                {
                    "row": row.id,
                    "called": row.called,
                    "version": plan.versions[column.version].name,
                    "model": plan.answerers[column.answerer].label,
                    "seed": take.seed,
                    "change": take.change,
                    "answer": self.answers[r, c, k],
                    "targets": list(row.targets),
                    "outcome": OUTCOME_OF[int(self.outcomes[r, c, k])],
                    "why": self.whys[r, c, k],
                }
            )
        return found


def put_together(plan: TablePlan, rows: Sequence[TableRow], cells: Iterable[CellAnswer]) -> PromptTable:
    """The table of `rows` from what is kept of it; cells of other rows, columns or takes are left out."""
    shape = (len(rows), len(plan.columns), len(plan.takes))
    outcomes = np.full(shape, OPEN, np.int8)
    answers, whys, keys = (np.full(shape, "", object) for _ in range(3))
    ties = np.full(shape, np.nan, np.float32)
    place = {row.id: at for at, row in enumerate(rows)}
    for cell in cells:
        r = place.get(cell.row)
        if r is None or not (0 <= cell.column < shape[1] and 0 <= cell.take < shape[2]):
            continue
        at = (r, cell.column, cell.take)
        outcomes[at] = CODE_OF.get(cell.outcome, UNSURE)
        answers[at], whys[at], keys[at] = cell.answer, cell.why, cell.key
        if cell.tie is not None:
            ties[at] = cell.tie
    return PromptTable(plan, tuple(rows), outcomes, answers, whys, keys, ties)
