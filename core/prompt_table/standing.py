"""How a column of a table stands: share right with its interval, and against the baseline better, worse or same.

Of several takes a cell counts by one of three rules: its *share* right, *all* right (pass all k), *any* right (pass any
k). A cell is decided where no take is open, failed or unsure; the share is taken over its decided takes. Shares of
yes-or-no cells have exact intervals (Clopper-Pearson), pairs the exact McNemar test with Newcombe's interval; shares of
several takes have the bootstrap's interval over rows and the exact test of signs, so that takes of one row are never
taken for rows. A cell's own share has Wilson's interval. Source: `core.metrics.shares`, `.bootstrap`, `.sign_flip`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.metrics import Aggregate, Measured, Metric, PairedTest, aggregate, compare
from core.metrics.metric import ratio
from core.metrics.shares import wilson
from core.metrics.sign_flip import two_sided
from core.prompt_table.table import FAILED, OPEN, RIGHT, SKIPPED, UNSURE, WRONG, PromptTable

Counting = Literal["share", "all", "any"]
COUNTINGS: dict[Counting, str] = {
    "share": "share of right answers",
    "all": "pass all: every answer of the cell is right",
    "any": "pass any: at least one answer of the cell is right",
}
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Standing:
    """One column over some rows; rows are counted against the baseline where both cells are decided."""

    label: str
    value: Aggregate
    against: PairedTest | None
    """None for the baseline, and where no row is decided under both."""
    better: int
    worse: int
    same: int
    answered: int
    spread: float
    """Greatest less least share right over the takes (seeds, small changes); NaN for one take."""


def scores(table: PromptTable, counting: Counting = "share") -> NDArray[np.float64]:
    """What each cell counts, (R, C): 0 to 1, NaN where it is not decided."""
    outcomes = table.outcomes
    right, wrong = (outcomes == RIGHT).sum(2), (outcomes == WRONG).sum(2)
    decided = right + wrong
    if counting == "share":
        return np.divide(right, decided, out=np.full(right.shape, np.nan), where=decided > 0)
    whole = (decided > 0) & (decided + (outcomes == SKIPPED).sum(2) == outcomes.shape[2])
    if counting == "all":
        return np.where(wrong > 0, 0.0, np.where(whole, 1.0, np.nan))
    return np.where(right > 0, 1.0, np.where(whole, 0.0, np.nan))


def measured(table: PromptTable, column: int, counting: Counting = "share") -> Measured:
    """A column as a metric over the rows (R,), for `core.metrics`' intervals and tests."""
    found = scores(table, counting)[:, column]
    kept = np.isfinite(found)
    statistics = np.column_stack([np.where(kept, found, 0.0), kept.astype(np.float64)])
    outcomes = table.outcomes[:, column]
    reasons = tuple(
        ""
        if counts
        else "missing"
        if (cell == OPEN).any()
        else "error"
        if (cell == FAILED).any()
        else "unsure"
        for counts, cell in zip(kept.tolist(), outcomes)
    )
    return Measured(_metric(counting, len(table.plan.takes)), "other", statistics, kept, reasons)


def _why(cell: NDArray[np.int8]) -> str:
    """The key of `core.metrics.REASONS` by which an undecided cell is left out."""
    for code, reason in ((OPEN, "missing"), (FAILED, "error"), (UNSURE, "unsure")):
        if (cell == code).any():
            return reason
    return "skipped"


def _metric(counting: Counting, takes: int) -> Metric:
    return Metric(
        name=f"right {counting} {takes}",
        label="Right, by the checks",
        description=f"The {COUNTINGS[counting]}.",
        units="share of the rows that are decided",
        higher_is_better=True,
        range=(0.0, 1.0),
        statistics=lambda rows, _language: np.zeros((len(rows), 2)),
        score=ratio,
        needs="answer",
        share=counting != "share" or takes == 1,
    )


def standings(
    table: PromptTable, counting: Counting = "share", mask: Mask | None = None, baseline: int | None = None
) -> tuple[Standing, ...]:
    """Every column over the rows of `mask` (R,), against the column `baseline` (else the plan's)."""
    base = table.plan.baseline if baseline is None else baseline
    inside = np.ones(len(table.rows), bool) if mask is None else mask
    found = scores(table, counting)
    of = [measured(table, at, counting) for at in range(len(table.labels))]
    out = []
    for at, label in enumerate(table.labels):
        both = np.isfinite(found[:, at]) & np.isfinite(found[:, base]) & inside
        change = found[both, at] - found[both, base]
        test = compare(of[base], of[at], inside) if at != base and both.any() else None
        if test is not None and not test.metric.share:
            test = replace(test, p=two_sided(change), test="signs of rows, exact")
        out.append(
            Standing(
                label,
                aggregate(of[at], inside),
                test,
                int((change > 0).sum()),
                int((change < 0).sum()),
                int((change == 0).sum()),
                int((table.outcomes[inside, at] != OPEN).any(1).sum()),
                _spread(table, at, inside),
            )
        )
    return tuple(out)


def take_shares(table: PromptTable, column: int, mask: Mask | None = None) -> NDArray[np.float64]:
    """Share right of each take of a column, (K,): how it holds under other seeds or small changes."""
    outcomes = table.outcomes[:, column] if mask is None else table.outcomes[mask, column]
    right, wrong = (outcomes == RIGHT).sum(0), (outcomes == WRONG).sum(0)
    decided = right + wrong
    return np.divide(right, decided, out=np.full(right.shape, np.nan), where=decided > 0)


def _spread(table: PromptTable, column: int, mask: Mask) -> float:
    shares = take_shares(table, column, mask)
    known = shares[np.isfinite(shares)]
    return float(np.ptp(known)) if len(table.plan.takes) > 1 and len(known) else float("nan")


def turned(
    table: PromptTable, column: int, counting: Counting = "share", baseline: int | None = None
) -> Mask:
    """Rows (R,) that `column` answers better or worse than the baseline does."""
    base = table.plan.baseline if baseline is None else baseline
    found = scores(table, counting)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(found[:, column] - found[:, base]) > 0)


def turned_first(
    table: PromptTable, counting: Counting = "share", baseline: int | None = None
) -> NDArray[np.intp]:
    """Places of the rows: those that turned under most columns first, worse before better, else as they stand."""
    base = table.plan.baseline if baseline is None else baseline
    found = scores(table, counting)
    change = np.nan_to_num(found - found[:, [base]])
    return np.lexsort((change.sum(1), -(change != 0).sum(1)))


def cell_share(table: PromptTable, row: int, column: int) -> tuple[int, int, float, float]:
    """Right and decided takes of a cell, and Wilson's 95 % interval of their share; NaN without a decided one."""
    outcomes = table.outcomes[row, column]
    right = int((outcomes == RIGHT).sum())
    decided = right + int((outcomes == WRONG).sum())
    low, high = wilson(right, decided)
    return right, decided, low, high


def undecided(table: PromptTable) -> int:
    """Takes whose verdict is unsure."""
    return int((table.outcomes == UNSURE).sum())
