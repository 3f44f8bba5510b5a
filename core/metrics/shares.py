"""Intervals and the paired test of shares (right or wrong, row by row), right at the edges too.

The bootstrap cannot do these: from 0 of 8 it only ever draws 0. Knows no text and no metric.
Source: Clopper & Pearson 1934 (exact interval); Wilson 1927 (score interval); Newcombe 1998, "Improved confidence
intervals for the difference between binomial proportions based on paired data", method 10; McNemar 1947 in its
exact, two-sided form.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Z95 = 1.959963984540054
Bools = NDArray[np.bool_]


def exact(hits: int, rows: int, level: float = 0.95) -> tuple[float, float]:
    """Exact interval of a share of `rows` with `hits`: 0 of 8 is 0 to 0.37. NaN without rows."""
    if rows == 0:
        return math.nan, math.nan
    tail = (1 - level) / 2
    low = 0.0 if hits == 0 else 1 - _share_with_tail(rows - hits, rows, tail)
    return low, 1.0 if hits == rows else _share_with_tail(hits, rows, tail)


def _share_with_tail(hits: int, rows: int, tail: float) -> float:
    """The share at which at most `hits` of `rows` come about with the chance `tail`; by bisection."""
    k = np.arange(hits + 1)
    steps = np.log(rows - k[:-1]) - np.log(k[1:])
    ways = np.concatenate([[0.0], np.cumsum(steps)])
    low, high = 0.0, 1.0
    for _ in range(60):
        share = (low + high) / 2
        chance = float(np.exp(ways + k * math.log(share) + (rows - k) * math.log1p(-share)).sum())
        low, high = (share, high) if chance > tail else (low, share)
    return (low + high) / 2


def wilson(hits: int, rows: int, z: float = Z95) -> tuple[float, float]:
    """Score interval of a share, from which `paired` makes that of a difference. NaN without rows."""
    if rows == 0:
        return math.nan, math.nan
    share, extra = hits / rows, z * z / rows
    centre = (share + extra / 2) / (1 + extra)
    half = z / (1 + extra) * math.sqrt(share * (1 - share) / rows + extra / (4 * rows))
    low = 0.0 if hits == 0 else centre - half
    return low, 1.0 if hits == rows else centre + half


def paired(first: Bools, second: Bools) -> tuple[float, float, float]:
    """95 % interval of `share(second) - share(first)` and the two-sided p of no difference.

    `first`, `second`: (rows,) of the same rows. p is the chance that the rows where the two differ fall at least
    as unevenly if each were a fair coin; 1 where they differ nowhere.
    """
    rows = len(first)
    gained, lost = int((second & ~first).sum()), int((first & ~second).sum())
    both, neither = int((first & second).sum()), int((~first & ~second).sum())
    a, b = (both + gained) / rows, (both + lost) / rows
    (low_a, high_a), (low_b, high_b) = wilson(both + gained, rows), wilson(both + lost, rows)
    product = (both + gained) * (both + lost) * (neither + gained) * (neither + lost)
    phi = 0.0
    if product:
        cross = both * neither - gained * lost
        phi = (max(cross - rows / 2, 0) if cross > 0 else cross) / math.sqrt(product)
    down, up = a - low_a, high_a - a
    other_down, other_up = b - low_b, high_b - b
    low = (a - b) - math.sqrt(max(down**2 - 2 * phi * down * other_up + other_up**2, 0))
    high = (a - b) + math.sqrt(max(up**2 - 2 * phi * up * other_down + other_down**2, 0))
    return low, high, _coin(min(gained, lost), gained + lost)


def _coin(fewer: int, throws: int) -> float:
    """Chance that a fair coin falls at least as unevenly in `throws` throws as `fewer` to the rest."""
    logs = [
        math.lgamma(throws + 1) - math.lgamma(k + 1) - math.lgamma(throws - k + 1) - throws * math.log(2)
        for k in range(fewer + 1)
    ]
    return min(1.0, 2 * math.fsum(map(math.exp, logs)))
