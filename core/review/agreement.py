"""How far people agree beyond chance: Cohen's kappa of two, Krippendorff's alpha of any number with gaps (nominal).

Source: Cohen 1960, "A coefficient of agreement for nominal scales"; Krippendorff 2011, "Computing Krippendorff's
Alpha-Reliability", nominal metric with missing data. NaN where nothing can be said: no item that two judged, or one
single value throughout, where chance alone agrees fully.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from core.review.opinion import Opinion, newest

Item = tuple[str, int, int]
"""(row, column, take) of a table."""
CHECKS = "the checks"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two judges on the items that both judged: how often they say the same, and Cohen's kappa."""

    first: str
    second: str
    items: int
    same: int
    kappa: float


def cohens_kappa(first: Sequence[str], second: Sequence[str]) -> float:
    """Agreement of two judges about the same items in the same order."""
    count = len(first)
    if not count:
        return math.nan
    seen = sum(one == other for one, other in zip(first, second)) / count
    ours, theirs = Counter(first), Counter(second)
    chance = sum(ours[value] * theirs[value] for value in ours) / count**2
    return math.nan if chance == 1 else (seen - chance) / (1 - chance)


def krippendorffs_alpha(items: Sequence[Sequence[str]]) -> float:
    """`items`: of each the values that its judges gave, in any number; those with fewer than two do not count."""
    pairable = [list(values) for values in items if len(values) > 1]
    totals: Counter[str] = Counter(value for values in pairable for value in values)
    count = sum(totals.values())
    if count < 2 or len(totals) < 2:
        return math.nan
    apart = 0.0
    for values in pairable:
        held = Counter(values)
        apart += sum(held[one] * (len(values) - held[one]) for one in held) / (len(values) - 1)
    expected = sum(totals[one] * (count - totals[one]) for one in totals) / (count - 1)
    return 1 - apart / expected


def verdicts_of(opinions: Sequence[Opinion]) -> dict[str, dict[Item, str]]:
    """Each reviewer's verdict on each item, the last that was given."""
    found: dict[str, dict[Item, str]] = {}
    for one in newest(opinions):
        if one.kind == "verdict":
            found.setdefault(one.reviewer.strip(), {})[(one.example_id, one.column, one.take)] = one.value
    return found


def agreements(
    opinions: Sequence[Opinion], checks: Mapping[Item, str]
) -> tuple[float, int, tuple[Agreement, ...]]:
    """(Krippendorff's alpha of the reviewers, items that two or more judged, each pair); each reviewer is also set
    against the `checks`.
    """
    said = verdicts_of(opinions)
    items: dict[Item, list[str]] = {}
    for verdicts in said.values():
        for item, value in verdicts.items():
            items.setdefault(item, []).append(value)
    pairs = [(one, other, said[one], said[other]) for one, other in combinations(said, 2)]
    pairs += [(one, CHECKS, said[one], dict(checks)) for one in said]
    made = []
    for one, other, ours, theirs in pairs:
        both = [item for item in ours if item in theirs]
        first, second = [ours[item] for item in both], [theirs[item] for item in both]
        same = sum(a == b for a, b in zip(first, second))
        made.append(Agreement(one, other, len(both), same, cohens_kappa(first, second)))
    several = sum(len(values) > 1 for values in items.values())
    return krippendorffs_alpha(list(items.values())), several, tuple(made)
