"""Scores of a prompt's parts from many runs with several parts missing at once, as plain data and in words.

Parts are those of a `CauseRequest`; what is locked is never taken out and has no score (NaN). Knows no model;
`core.salience.take_out_test`, `shapley`, `hierarchical` and `contrast` measure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.cause import CauseRequest

Floats = NDArray[np.float64]
LDS_ENOUGH = 0.5
"""Below this rank correlation the scores are not what a set of parts adds up from."""


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
