"""Exact test that paired differences of rows are as often up as down: each row's sign is a fair coin.

With differences of one size it is McNemar's exact test; with shares of several samples it stays exact, where the
bootstrap is too sure of few rows. Rows of equal size are a binomial each, and these are convolved.
Source: Fisher 1935, "The Design of Experiments", §21 (randomisation test of paired differences).
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

MOST_PARTS = 1_000
"""Differences are fractions with at most this denominator: those of counts are met exactly."""


def two_sided(differences: NDArray[np.float64]) -> float:
    """Chance that the sum of `differences` (R,), signs drawn anew, is at least as far from 0; 1 where all are 0."""
    sizes = [Fraction(float(one)).limit_denominator(MOST_PARTS) for one in differences if abs(one) > 1e-9]
    if not sizes:
        return 1.0
    unit = math.lcm(*{one.denominator for one in sizes})
    whole = [int(one * unit) for one in sizes]
    common = math.gcd(*whole)
    whole = [one // common for one in whole]
    spread = np.ones(1)
    for size in sorted({abs(one) for one in whole}):
        count = sum(abs(one) == size for one in whole)
        steps = np.zeros(2 * size * count + 1)
        steps[:: 2 * size] = _binomial(count)
        spread = np.convolve(spread, steps)
    reach = (len(spread) - 1) // 2
    far = np.abs(np.arange(len(spread)) - reach) >= abs(sum(whole))
    return min(1.0, float(spread[far].sum()))


def _binomial(count: int) -> NDArray[np.float64]:
    """Chances of 0 to `count` heads of a fair coin, (count + 1,)."""
    heads = range(count + 1)
    whole = math.lgamma(count + 1) - count * math.log(2)
    return np.array([math.exp(whole - math.lgamma(k + 1) - math.lgamma(count - k + 1)) for k in heads])
