"""How well a ranking of a prompt's segments finds causes that are known: ranks, hits, intervals.

A `Finding` is one method on one prompt; measures are means over findings with bootstrap intervals over
prompts (`core.metrics.bootstrap`). Knows no model and no method.
Sources: Voorhees 1999 (mean reciprocal rank); Efron 1979 (percentile interval).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.metrics import bootstrap


@dataclass(frozen=True, slots=True)
class Finding:
    """Where one method put the causes of one prompt among its `segments` segments.

    `ranks` (1 is first, ascending) has one entry a cause; `flat` says that the map would be called "nothing
    decisive".
    """

    ranks: tuple[int, ...]
    segments: int
    flat: bool = False

    @property
    def reciprocal_rank(self) -> float:
        """1 / rank of the first cause."""
        return 1 / self.ranks[0]

    @property
    def precision(self) -> float:
        """Precision@k with k the number of causes: the share of the first k segments that are causes."""
        return sum(rank <= len(self.ranks) for rank in self.ranks) / len(self.ranks)

    def hit(self, most: int) -> float:
        """1 where a cause is among the first `most` segments, else 0."""
        return float(self.ranks[0] <= most)

    @property
    def chance(self) -> float:
        """Probability that a random order puts a cause first."""
        return len(self.ranks) / self.segments


@dataclass(frozen=True, slots=True)
class MeanWithInterval:
    """A mean over `count` prompts with its bootstrap 95 % interval; NaN where there are none."""

    value: float
    low: float
    high: float
    count: int


Measure = Callable[[Finding], float]
MEASURES: dict[str, Measure] = {
    "top1": lambda f: f.hit(1),
    "top3": lambda f: f.hit(3),
    "mrr": lambda f: f.reciprocal_rank,
    "precision": lambda f: f.precision,
    "chance": lambda f: f.chance,
}
"""Measures of findings that have a cause; for prompts without one there is `flat`."""
FLAT = "flat"


def ranks_of(order: Sequence[int], causes: Iterable[int]) -> tuple[int, ...]:
    """Ranks (from 1, ascending) of `causes` in `order`, strongest first; one that is not there comes last."""
    place = {index: rank for rank, index in enumerate(order, start=1)}
    return tuple(sorted(place.get(cause, len(order)) for cause in set(causes)))


def estimate(values: Sequence[float]) -> MeanWithInterval:
    """The mean of one figure a prompt, with its interval; the same values always give the same one."""
    if not len(values):
        return MeanWithInterval(float("nan"), float("nan"), float("nan"), 0)
    column = np.asarray(values, np.float64)
    drawn = bootstrap.resampled(_stats(column))
    low, high = bootstrap.interval(drawn[:, 0] / drawn[:, 1])
    return MeanWithInterval(float(column.mean()), low, high, len(column))


def measured(findings: Sequence[Finding]) -> dict[str, MeanWithInterval]:
    """Every measure that these findings allow: hits where there are causes, `flat` where there are none."""
    caused = [f for f in findings if f.ranks]
    if caused:
        return {name: estimate([measure(f) for f in caused]) for name, measure in MEASURES.items()}
    return {FLAT: estimate([float(f.flat) for f in findings])}


def change(before: Sequence[float], after: Sequence[float]) -> MeanWithInterval:
    """Mean of `after - before` over the same prompts in the same order, with its paired interval."""
    return estimate((np.asarray(after, np.float64) - np.asarray(before, np.float64)).tolist())


def _stats(column: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([column, np.ones(len(column))], axis=1)
