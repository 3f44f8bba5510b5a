"""Scores of a prompt's parts from many runs with several parts missing at once, as plain data and in words.

Parts are those of a `CauseRequest`; what is locked is never taken out and has no score (NaN). Knows no model;
`core.salience.take_out_test`, `shapley`, `hierarchical` and `contrast` measure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, isqrt

import numpy as np
from numpy.typing import NDArray

from core.cause import CauseRequest
from core.family import Field

Floats = NDArray[np.float64]
LDS_ENOUGH = 0.5
"""Below this rank correlation the scores are not what a set of parts adds up from."""
NOTHING_NATS = 0.1
"""A tenth more or less: a part speaks for neither of two words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WayOfScoring:
    """One way to score parts by taking many out; `runs` tells how many sets it measures for so many free parts."""

    name: str
    label: str
    description: str
    runs: Callable[[int, dict[str, object]], int]
    options: tuple[Field, ...] = ()


HOW = Field(
    name="how",
    label="A part is taken out by",
    kind="choice",
    default="cut",
    description="What stands in a part's place: nothing, a line that says nothing, or a line of another example.",
    choices=(
        ("cut", "cutting it"),
        ("neutral", "a line that says nothing (…)"),
        ("other", "a line of another example"),
    ),
)
"""The option of all ways; `HOW_TOLD` says it beside the scores."""
HOW_TOLD = {
    "cut": "Parts were cut out.",
    "neutral": "In the place of a part stood a line that says nothing (“…”).",
    "other": "In the place of a part stood a line of another example.",
}
MASKS = Field(
    name="masks",
    label="Runs to fit",
    kind="choice",
    default="32",
    choices=(("32", "32"), ("64", "64")),
    description="Each run keeps about half of the parts; 16 fresh runs check the scores.",
)
ORDERS = Field(
    name="orders",
    label="Random orders",
    kind="number",
    default=8,
    minimum=2,
    maximum=64,
    description="More orders, narrower intervals.",
)


def block_size(free: int) -> int:
    """How many neighbours make a block: about the square root of their number."""
    return max(2, isqrt(max(free, 1) - 1) + 1)


def _coarse_runs(free: int, _given: dict[str, object]) -> int:
    size = block_size(free)
    return -(-free // size) + min(free, 2 * size)


WAYS = (
    WayOfScoring(
        name="take_out_test",
        label="Take-out test",
        description="Many runs, each without about half of the parts; what fits them best is each part's score.",
        runs=lambda _free, given: int(str(given["masks"])) + 16,
        options=(MASKS, HOW),
    ),
    WayOfScoring(
        name="shapley",
        label="Shapley values",
        description="What a part adds, on the average over random orders of adding all parts, with an interval.",
        runs=lambda free, given: int(str(given["orders"])) * free + 1,
        options=(ORDERS, HOW),
    ),
    WayOfScoring(
        name="hierarchical",
        label="Coarse to fine",
        description="Blocks of neighbours first, then the parts of the two blocks that matter most: for long prompts. "
        "Copies of a text in two blocks can be missed.",
        runs=_coarse_runs,
        options=(HOW,),
    ),
)


@dataclass(frozen=True, slots=True, eq=False)
class PartScores:
    """`score_nats` (S,): how much each part adds to the chosen words' log-probability; NaN where it has no score.

    `low_nats` and `high_nats` (S,) bound a 95 % interval where the method gives one, `lds` is the rank correlation of
    what the scores predict with what was measured on fresh masks.
    """

    request: CauseRequest
    method: str
    score_nats: Floats
    low_nats: Floats | None = None
    high_nats: Floats | None = None
    lds: float | None = None
    runs: int = 0
    """How many sets of parts were measured."""
    passes: float = 0.0
    """What it cost, in passes over the whole text."""
    note: str = ""

    @property
    def order(self) -> tuple[int, ...]:
        """Parts that have a score, the largest first."""
        known = [i for i in range(len(self.score_nats)) if np.isfinite(self.score_nats[i])]
        return tuple(sorted(known, key=lambda i: -float(self.score_nats[i])))

    @property
    def sentence(self) -> str:
        """What the page says about how far they add up."""
        if self.lds is None:
            return self.note
        if not self.lds >= LDS_ENOUGH:
            said = f"These scores do not add up here: on fresh runs they order the outcomes with {self.lds:.2f} only."
        else:
            said = f"On fresh runs these scores order the outcomes with a rank correlation of {self.lds:.2f}."
        return f"{said} {self.note}".strip()


def contrast_sentence(scores: PartScores, names: Sequence[str], this: str, that: str) -> str:
    """Which part speaks most for *this* rather than *that*; `names` (S,) are what the parts are called."""
    order = scores.order
    if not order or scores.score_nats[order[0]] < NOTHING_NATS:
        return f"No part by itself speaks for “{this}” rather than “{that}”."
    factor = exp(min(float(scores.score_nats[order[0]]), 50.0))
    times = "more than a million" if factor > 1e6 else f"{factor:,.2g}" if factor < 10 else f"{factor:,.0f}"
    name = names[order[0]]
    return (
        f"{name[:1].upper()}{name[1:]} speaks most for “{this}” rather than “{that}”: without it the odds fall "
        f"{times} times."
    )
