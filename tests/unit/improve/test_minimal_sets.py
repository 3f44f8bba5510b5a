"""Smallest sets against enumeration of all subsets, and their proof."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import AppError
from core.improve.minimal_sets import minimal_sets

Holds = Callable[[frozenset[int]], bool]


def subsets(parts: int) -> list[frozenset[int]]:
    every = chain.from_iterable(combinations(range(parts), size) for size in range(parts + 1))
    return [frozenset(one) for one in every]


def smallest(parts: int, does: Holds) -> int | None:
    return min((len(one) for one in subsets(parts) if does(one)), default=None)


@st.composite
def monotone(draw: st.DrawFn) -> tuple[int, Holds]:
    """An answer that is kept by any of some groups of parts."""
    parts = draw(st.integers(1, 8))
    groups = draw(st.lists(st.sets(st.integers(0, parts - 1)), min_size=1, max_size=4))
    return parts, lambda kept: any(group <= kept for group in groups)


@given(monotone(), st.randoms())
def test_the_sets_are_the_smallest_by_enumeration(case: tuple[int, Holds], random: object) -> None:
    parts, holds = case
    order = list(range(parts))
    random.shuffle(order)  # type: ignore[attr-defined]
    everything = frozenset(range(parts))
    found = minimal_sets(parts, holds, order, prove_with=1000)
    assert holds(frozenset(found.keeps.parts))
    assert found.keeps.proof == "smallest"
    assert len(found.keeps.parts) == smallest(parts, holds)
    fewest = smallest(parts, lambda out: not holds(everything - out))
    assert (found.turns is None) == (fewest is None)
    if found.turns is not None:
        assert not holds(everything - frozenset(found.turns.parts))
        assert len(found.turns.parts) == fewest


@given(monotone())
def test_without_enumeration_no_part_can_be_spared(case: tuple[int, Holds]) -> None:
    parts, holds = case
    everything = frozenset(range(parts))
    found = minimal_sets(parts, holds, prove_with=0)
    for part in found.keeps.parts:
        assert not holds(frozenset(found.keeps.parts) - {part})
    if found.turns is not None:
        for part in found.turns.parts:
            assert holds(everything - (frozenset(found.turns.parts) - {part}))


@given(st.sets(st.sampled_from(subsets(5))))
def test_answers_that_follow_no_rule_still_get_true_sets(kept: set[frozenset[int]]) -> None:
    everything = frozenset(range(5))
    found = minimal_sets(5, lambda some: some in kept or some == everything)
    assert frozenset(found.keeps.parts) in kept | {everything}
    if found.turns is not None:
        assert everything - frozenset(found.turns.parts) not in kept


def test_two_copies_keep_alone_and_turn_only_together() -> None:
    asked: list[frozenset[int]] = []

    def holds(kept: frozenset[int]) -> bool:
        asked.append(kept)
        return 3 in kept or 7 in kept

    found = minimal_sets(12, holds, [3, 7, *(i for i in range(12) if i not in (3, 7))])
    assert found.keeps.parts == (3,)
    assert found.turns is not None and found.turns.parts == (3, 7)
    assert found.turns.proof == "smallest"
    assert len(asked) == len(set(asked)) == found.asked <= 20


def test_a_large_set_is_called_what_it_is() -> None:
    found = minimal_sets(40, lambda kept: frozenset(range(0, 40, 4)) <= kept)
    assert found.keeps.parts == tuple(range(0, 40, 4))
    assert found.keeps.proof == "one less fails"


def test_an_answer_that_the_prompt_does_not_decide() -> None:
    found = minimal_sets(4, lambda kept: True)
    assert found.keeps.parts == () and found.turns is None


def test_an_answer_that_is_not_given_is_refused() -> None:
    with pytest.raises(AppError, match="not given even with the whole prompt"):
        minimal_sets(3, lambda kept: False)
    with pytest.raises(AppError, match="each of the 3 parts once"):
        minimal_sets(3, lambda kept: True, [0, 1, 1])
