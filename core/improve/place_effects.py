"""What mattered in an edit: how much each of its k places brought, and which places only work together.

`value(on)` gives what every row is worth with some places on, (M, k) -> (M, R); right answers count 1, wrong ones 0.
Up to k = 6 all 2^k sets are asked and the shares are exact; beyond that they are means over random orders in which the
places are put in one after the other, each order followed by its reverse, with an interval. A place's *effect* is its
Shapley value: what it adds, on average over all orders; the effects add up to new minus old. A pair's *interaction* is
what both bring beyond each one's own, on average over what else is there. Knows no prompt and no model.
Source: Shapley 1953; Grabisch and Roubens 1999 (interaction index); Mitchell et al. 2022, "Sampling Permutations for
Shapley Value Estimation" (antithetic orders).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from core.errors import AppError
from core.metrics.shares import Z95

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Value = Callable[[Bools], Floats]
EXACT_PLACES, ORDERS, MOST_PLACES, PAIRS_AMONG = 6, 16, 60, 4
NONE = 1e-9


@dataclass(frozen=True, slots=True)
class PlaceEffect:
    """One place: its share of new minus old with a 95 % interval, alone, last, and on how many rows it helped.

    `alone`: on in the old version; `last`: what is lost when it alone is off in the new one. Means over rows.
    """

    place: int
    effect: float
    low: float
    high: float
    alone: float
    last: float
    better: int
    worse: int


@dataclass(frozen=True, slots=True)
class PairEffect:
    """Two places in the old version: each alone, both, and what is only there together. Means over rows."""

    places: tuple[int, int]
    first: float
    second: float
    both: float
    interaction: float

    @property
    def only_together(self) -> bool:
        """Neither does half of what both do."""
        return abs(self.both) > NONE and max(abs(self.first), abs(self.second)) < 0.5 * abs(self.both)


@dataclass(frozen=True, slots=True)
class EditEffects:
    """`old`, `new`: mean over the `rows` that count (those whose every value is known). `exact`: no sample."""

    places: tuple[PlaceEffect, ...]
    pairs: tuple[PairEffect, ...]
    old: float
    new: float
    rows: int
    left_out: int
    exact: bool
    asked: int
    """Different mixtures that were asked."""

    @property
    def ranked(self) -> tuple[PlaceEffect, ...]:
        """The largest effect first, whichever way."""
        return tuple(sorted(self.places, key=lambda one: (-abs(one.effect), one.place)))

    @property
    def together(self) -> tuple[PairEffect, ...]:
        """Pairs that only work together, the largest first."""
        return tuple(sorted((p for p in self.pairs if p.only_together), key=lambda p: -abs(p.both)))


def mixtures(places: int, orders: int = ORDERS) -> int:
    """At most how many mixtures `edit_effects` asks for: what it costs, a mixture being a prompt version."""
    if places <= EXACT_PLACES:
        return int(2**places)
    among = min(PAIRS_AMONG, places)
    return 2 + orders * (places - 1) + 2 * places + among * (among - 1) // 2


def edit_effects(places: int, value: Value, *, orders: int = ORDERS, seed: int = 0) -> EditEffects:
    """The effect of each place and of pairs. Rows of which a value is NaN are left out and counted.

    Raises: AppError for no place, too many, or where no row counts.
    """
    if not 1 <= places <= MOST_PLACES:
        raise AppError(
            f"The two versions should differ in 1 to {MOST_PLACES} places, but they differ in {places}.",
            hint="Compare them by line." if places else "Choose two versions that differ.",
        )
    asked = _Asked(places, value)
    if places <= EXACT_PLACES:
        asked.ask([frozenset(s) for n in range(places + 1) for s in combinations(range(places), n)])
        per_row, spread = _exact(asked, places), np.zeros(places)
        pairs = list(combinations(range(places), 2))
        inner = {pair: _interaction(asked, places, *pair) for pair in pairs}
    else:
        per_row, spread = _sampled(asked, places, orders, seed)
        singles = [frozenset([i]) for i in range(places)]
        asked.ask([*singles, *(asked.full - one for one in singles)])
        known = asked.counted
        first = sorted(range(places), key=lambda i: -abs(float(asked.gain(frozenset([i]))[known].sum())))
        pairs = list(combinations(sorted(first[:PAIRS_AMONG]), 2))
        asked.ask([frozenset(pair) for pair in pairs])
        inner = {
            (i, j): asked.gain(frozenset([i, j])) - asked.gain(frozenset([i])) - asked.gain(frozenset([j]))
            for i, j in pairs
        }
    counted = asked.counted
    if not counted.any():
        raise AppError("No row has an answer that can be judged under every mixture of the two versions.")
    per_row = per_row[counted]

    def mean(values: Floats) -> float:
        return float(values[counted].mean())

    found = []
    for i in range(places):
        effect, error = float(per_row[:, i].mean()), float(spread[i])
        if len(per_row) > 1:
            error = math.hypot(error, float(per_row[:, i].std(ddof=1)) / math.sqrt(len(per_row)))
        one = frozenset([i])
        found.append(
            PlaceEffect(
                i,
                effect,
                effect - Z95 * error,
                effect + Z95 * error,
                mean(asked.gain(one)),
                mean(asked[asked.full] - asked[asked.full - one]),
                int((per_row[:, i] > NONE).sum()),
                int((per_row[:, i] < -NONE).sum()),
            )
        )
    return EditEffects(
        tuple(found),
        tuple(
            PairEffect(
                (i, j),
                mean(asked.gain(frozenset([i]))),
                mean(asked.gain(frozenset([j]))),
                mean(asked.gain(frozenset([i, j]))),
                mean(inner[i, j]),
            )
            for i, j in pairs
        ),
        mean(asked[frozenset()]),
        mean(asked[asked.full]),
        int(counted.sum()),
        int((~counted).sum()),
        places <= EXACT_PLACES,
        len(asked.known),
    )


class _Asked:
    """Values of sets of places, (R,) each, asked once."""

    def __init__(self, places: int, value: Value) -> None:
        self.places, self.value = places, value
        self.full = frozenset(range(places))
        self.known: dict[frozenset[int], Floats] = {}

    def ask(self, sets: list[frozenset[int]]) -> None:
        new = [one for one in dict.fromkeys(sets) if one not in self.known]
        if new:
            masks = np.array([[i in one for i in range(self.places)] for one in new], bool)
            self.known.update(zip(new, np.asarray(self.value(masks), np.float64)))

    def __getitem__(self, one: frozenset[int]) -> Floats:
        return self.known[one]

    def gain(self, one: frozenset[int]) -> Floats:
        """What `one` brings in the old version, (R,)."""
        return self.known[one] - self.known[frozenset()]

    @property
    def counted(self) -> Bools:
        return np.isfinite(np.array(list(self.known.values()))).all(0)


def _exact(asked: _Asked, k: int) -> Floats:
    """Shapley values of each row, (R, k)."""
    out = np.zeros((len(asked[asked.full]), k))
    for i in range(k):
        for size in range(k):
            weight = math.factorial(size) * math.factorial(k - size - 1) / math.factorial(k)
            for rest in combinations([j for j in range(k) if j != i], size):
                there = frozenset(rest)
                out[:, i] += weight * (asked[there | {i}] - asked[there])
    return out


def _interaction(asked: _Asked, k: int, i: int, j: int) -> Floats:
    """Grabisch and Roubens' index of a pair for each row, (R,)."""
    out = np.zeros(len(asked[asked.full]))
    for size in range(k - 1):
        weight = math.factorial(size) * math.factorial(k - size - 2) / math.factorial(k - 1)
        for rest in combinations([m for m in range(k) if m not in (i, j)], size):
            s = frozenset(rest)
            out += weight * (asked[s | {i, j}] - asked[s | {i}] - asked[s | {j}] + asked[s])
    return out


def _sampled(asked: _Asked, k: int, orders: int, seed: int) -> tuple[Floats, Floats]:
    """Shapley values of each row (R, k), and their sampling error (k,) from the spread over pairs of orders."""
    random = np.random.default_rng(seed)
    drawn = [random.permutation(k).tolist() for _ in range(max(orders // 2, 2))]
    drawn = [order for one in drawn for order in (one, one[::-1])]
    asked.ask([frozenset(order[:n]) for order in drawn for n in range(k + 1)])
    rows = len(asked[asked.full])
    gains = np.zeros((len(drawn), rows, k))
    for at, order in enumerate(drawn):
        for n, i in enumerate(order):
            gains[at, :, i] = asked[frozenset(order[: n + 1])] - asked[frozenset(order[:n])]
    pairs = gains.reshape(-1, 2, rows, k).mean(1)
    counted = asked.counted
    if not counted.any():
        return pairs.mean(0), np.zeros(k)
    return pairs.mean(0), pairs[:, counted].mean(1).std(0, ddof=1) / math.sqrt(len(pairs))
