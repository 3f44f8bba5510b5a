"""Necessary and sufficient: the smallest parts that keep an answer, and the smallest whose removal turns it.

`holds(kept)` says whether the answer is still given with the parts `kept` alone (and whatever may not be taken out).
A set is grown in the order of strength until it does its work and then made smaller, in halves and at last one by one,
until no part of it can be left out: that is its proof ("one less fails"). Where so few smaller sets exist that all of
them can be asked, they are, and the set is the smallest there is. Nothing is asked twice. Knows no model.
Source: Zeller and Hildebrandt 2002, "Simplifying and Isolating Failure-Inducing Input" (1-minimal sets).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Literal

from core.errors import AppError

Holds = Callable[[frozenset[int]], bool]
Proof = Literal["smallest", "one less fails"]
PROVED_WITH = 64
"""All smaller sets are asked where they are at most so many."""


@dataclass(frozen=True, slots=True)
class MinimalSet:
    """Indices of parts, rising. `proof`: no smaller set does it, or only that none of its parts can be spared."""

    parts: tuple[int, ...]
    proof: Proof


@dataclass(frozen=True, slots=True)
class MinimalSets:
    """`keeps`: these alone keep the answer. `turns`: without these it is another; None: nothing turns it."""

    keeps: MinimalSet
    turns: MinimalSet | None
    parts: int
    """How many there were to choose from."""
    asked: int
    """How often the question was asked."""


def minimal_sets(
    parts: int, holds: Holds, order: Sequence[int] | None = None, *, prove_with: int = PROVED_WITH
) -> MinimalSets:
    """Both sets among `parts` parts; `order` has the indices, the strongest first (else as they stand).

    Raises: AppError where the answer is not given with all parts.
    """
    order = list(range(parts)) if order is None else list(order)
    if sorted(order) != list(range(parts)):
        raise AppError(f"The order should name each of the {parts} parts once, but it is {list(order)}.")
    everything = frozenset(range(parts))
    known: dict[frozenset[int], bool] = {}

    def kept(some: frozenset[int]) -> bool:
        if some not in known:
            known[some] = holds(some)
        return known[some]

    def turned(out: frozenset[int]) -> bool:
        return not kept(everything - out)

    if not kept(everything):
        raise AppError(
            "The answer is not given even with the whole prompt, so nothing can be said to keep it.",
            hint="Choose words that the model finds likeliest itself.",
        )
    keeps = _smallest(order, kept, prove_with)
    turns = _smallest(order, turned, prove_with)
    assert keeps is not None  # all parts together do
    return MinimalSets(keeps, turns, parts, len(known))


def _smallest(order: list[int], does: Holds, prove_with: int) -> MinimalSet | None:
    """The set that `does` it, by growing and shrinking; None where neither all parts nor one alone do."""
    if does(frozenset()):
        return MinimalSet((), "smallest")
    for index in order:
        if does(frozenset([index])):
            return MinimalSet((index,), "smallest")
    grown = _grow(order, does)
    if grown is None:
        return None
    found = _shrink(grown, does)
    smaller = sum(comb(len(order), size) for size in range(2, len(found)))
    if smaller > prove_with:
        return MinimalSet(tuple(sorted(found)), "one less fails")
    for size in range(2, len(found)):
        for some in combinations(order, size):
            if does(frozenset(some)):
                return MinimalSet(tuple(sorted(some)), "smallest")
    return MinimalSet(tuple(sorted(found)), "smallest")


def _grow(order: list[int], does: Holds) -> list[int] | None:
    """A beginning of `order` that does it: doubled until one does, then as short as halving finds."""
    size = 2
    while size < len(order) and not does(frozenset(order[:size])):
        size *= 2
    size = min(size, len(order))
    if not does(frozenset(order[:size])):
        return None
    fails = size // 2
    while size - fails > 1:
        middle = (size + fails) // 2
        if does(frozenset(order[:middle])):
            size = middle
        else:
            fails = middle
    return order[:size]


def _shrink(grown: list[int], does: Holds) -> list[int]:
    """`grown` without all that can be left out, the weakest tried first: halves, quarters, …, single parts."""
    left = list(grown)
    chunk = max(len(left) // 2, 1)
    while True:
        at, smaller = len(left), False
        while at > 0:
            start = max(at - chunk, 0)
            rest = left[:start] + left[at:]
            if rest and does(frozenset(rest)):
                left, smaller = rest, True
            at = start
        if chunk == 1 and not smaller:
            return left
        chunk = max(chunk // 2, 1)
