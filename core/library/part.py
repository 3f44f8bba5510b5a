"""A part of the prompt, as an explanation tells it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the prompt and what it had to do with the chosen words."""

    name: str
    """What the app calls it: "line 9"."""
    text: str
    share: float
    """Of the prompt's total absolute score, -1 to 1; NaN where the method could not measure it."""
    score: float
    """In the method's units; NaN as `share`."""
    effect_nats: float | None = None
    """By how many nats the chosen words become less likely without it; None: not measured."""
    turns: bool | None = None
    """Whether the likeliest words are others without it; None: not known."""

    @property
    def times(self) -> float | None:
        """How many times less likely the chosen words are without it; None: not measured."""
        return None if self.effect_nats is None else float(np.exp(min(self.effect_nats, 700.0)))
