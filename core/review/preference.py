"""Blind choices counted: how often each of two columns was preferred, ties, and whether that is more than chance.

p is the exact sign test over the rows (a row is won by who more reviewers prefer; ties do not count), so that five
people about one row are not five rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.metrics.sign_flip import two_sided
from core.review.opinion import Opinion, newest


@dataclass(frozen=True, slots=True)
class Preference:
    """Of the columns `first` and `second`: choices for each, ties, rows that each won, and p."""

    first: int
    second: int
    for_first: int
    for_second: int
    ties: int
    rows_first: int
    rows_second: int
    p: float


def preferences(opinions: Sequence[Opinion]) -> tuple[Preference, ...]:
    """One for each pair of columns that somebody chose between."""
    pairs: dict[tuple[int, int], list[Opinion]] = {}
    for one in newest(opinions):
        if one.kind == "choice":
            pairs.setdefault((one.column, one.other), []).append(one)
    found = []
    for (first, second), said in sorted(pairs.items()):
        counts = Counter(one.value for one in said)
        rows: Counter[str] = Counter()
        for one in said:
            rows[one.example_id] += {"first": 1, "second": -1, "tie": 0}[one.value]
        signs = np.sign(np.array(list(rows.values()), np.float64))
        won, lost = int((signs > 0).sum()), int((signs < 0).sum())
        found.append(
            Preference(
                first, second, counts["first"], counts["second"], counts["tie"], won, lost, two_sided(signs)
            )
        )
    return tuple(found)
