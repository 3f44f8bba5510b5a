"""Repairs run on rows: better, worse, p and tokens of each; chosen on one half of the rows, told true by the other.

Knows no model: `core.improve.rows` asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.improve.needless import Count, OnShare
from core.improve.repairs import KINDS, Repair
from core.improve.rows import Change, RowsAsked, change, halves


@dataclass(frozen=True, slots=True)
class RepairTrial:
    """One repair over all rows, over those it was chosen on and over those held out (None: there was one row)."""

    repair: Repair
    all: Change
    work: Change
    held: Change | None
    tokens: int

    @property
    def helps(self) -> bool:
        return self.work.better > self.work.worse

    @property
    def overfits(self) -> bool:
        """It helps the rows that it was chosen on and harms the others on balance."""
        return self.helps and self.held is not None and self.held.worse > self.held.better


@dataclass(frozen=True, slots=True)
class Repaired:
    """All trials, the best first; `right` of `rows` before, and the prompt's tokens then."""

    trials: tuple[RepairTrial, ...]
    right: int
    rows: int
    tokens: int

    @property
    def winner(self) -> RepairTrial | None:
        """The best on the rows to choose on; None where none helps there."""
        return self.trials[0] if self.trials and self.trials[0].helps else None


def cost(repairs: int, rows: int) -> int:
    """How many answers `try_repairs` asks for at most."""
    return rows * (repairs + 1)


def try_repairs(
    text: str,
    repairs: Sequence[Repair],
    ask: RowsAsked,
    count: Count,
    *,
    seed: int = 0,
    on_share: OnShare | None = None,
    on_trial: Callable[[RepairTrial], None] | None = None,
) -> Repaired:
    """Runs every repair of `text` on every row. Ties go to fewer rows worse, the gentler kind, then fewer tokens."""
    before = ask([text]).outcomes[0]
    work, held = halves(len(before), before, seed)
    trials = []
    for done, repair in enumerate(repairs):
        if on_share is not None:
            on_share(done / len(repairs), f"Running repair {done + 1} of {len(repairs)}")
        after = ask([repair.text]).outcomes[0]
        trials.append(
            RepairTrial(
                repair,
                change(before, after),
                change(before[work], after[work]),
                change(before[held], after[held]) if held else None,
                count(repair.text),
            )
        )
        if on_trial is not None:
            on_trial(trials[-1])
    ranked = sorted(
        trials,
        key=lambda one: (
            one.work.worse - one.work.better,
            one.work.worse,
            KINDS.index(one.repair.kind),
            one.tokens,
        ),
    )
    return Repaired(tuple(ranked), int((before == 1).sum()), int((before == before).sum()), count(text))
