"""Effects of places: by hand for small games, Shapley's axioms, and the sampled ones against the exact ones."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.errors import AppError
from core.improve import place_effects
from core.improve.place_effects import edit_effects, mixtures

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def test_two_places_that_only_work_together() -> None:
    found = edit_effects(3, lambda on: np.repeat((on[:, 0] & on[:, 1]).astype(float)[:, None], 4, 1))
    assert [round(one.effect, 9) for one in found.places] == [0.5, 0.5, 0.0]
    assert [one.alone for one in found.places] == [0, 0, 0]
    assert [one.last for one in found.places] == [1, 1, 0]
    assert [one.better for one in found.places] == [4, 4, 0]
    assert [pair.places for pair in found.together] == [(0, 1)]
    assert found.together[0].interaction == 1.0
    assert (found.old, found.new, found.exact, found.asked) == (0.0, 1.0, True, 8)


def test_rows_are_counted_by_which_place_mended_them() -> None:
    # Row 0 is mended by place 0, row 1 by place 1, row 2 is spoilt by place 1, row 3 stays.
    def value(on: Bools) -> Floats:
        a, b = on[:, 0], on[:, 1]
        return np.stack([a, b, ~b, np.ones(len(on))], 1).astype(float)

    found = edit_effects(2, value)
    assert [(one.better, one.worse) for one in found.places] == [(1, 0), (1, 1)]
    assert [one.effect for one in found.places] == [0.25, 0.0]
    assert found.together == ()


@given(st.lists(st.floats(-4, 4), min_size=16, max_size=16))
def test_exact_effects_are_means_over_all_orders_and_add_up(game: list[float]) -> None:
    table = np.array(game)

    def value(on: Bools) -> Floats:
        return table[on @ (1 << np.arange(4))][:, None]

    found = edit_effects(4, value)
    by_hand = np.zeros(4)
    for order in permutations(range(4)):
        on = np.zeros(4, bool)
        for place in order:
            before = value(on[None])[0, 0]
            on[place] = True
            by_hand[place] += (value(on[None])[0, 0] - before) / 24
    assert np.allclose([one.effect for one in found.places], by_hand, atol=1e-9)
    assert sum(one.effect for one in found.places) == pytest.approx(found.new - found.old, abs=1e-9)


def test_sampled_effects_hold_the_exact_ones_in_their_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = np.array([0.5, 0.2, 0.0, 0.1, -0.3, 0.0, 0.05, 0.0])

    def value(on: Bools) -> Floats:
        bonus = 0.6 * (on[:, 1] & on[:, 7])
        return np.repeat((on @ weights + bonus)[:, None], 3, 1)

    sampled = edit_effects(8, value, orders=64)
    monkeypatch.setattr(place_effects, "EXACT_PLACES", 8)
    exact = edit_effects(8, value)
    assert not sampled.exact and exact.exact
    assert sampled.asked <= mixtures(8, 64)
    for one, true in zip(sampled.places, exact.places):
        assert one.low - 1e-9 <= true.effect <= one.high + 1e-9
    assert sum(one.effect for one in sampled.places) == pytest.approx(sampled.new - sampled.old)
    assert {pair.places for pair in exact.together} == {(1, 7)}


def test_a_row_that_cannot_be_judged_is_left_out_and_counted() -> None:
    found = edit_effects(1, lambda on: np.stack([on[:, 0].astype(float), np.full(len(on), np.nan)], 1))
    assert (found.rows, found.left_out, found.places[0].effect) == (1, 1, 1.0)
    for places in (1, 9):
        with pytest.raises(AppError, match="No row has an answer"):
            edit_effects(places, lambda on: np.full((len(on), 2), np.nan))


@pytest.mark.parametrize("places", [0, 61])
def test_no_place_and_too_many_are_refused(places: int) -> None:
    with pytest.raises(AppError, match=f"differ in {places}"):
        edit_effects(places, lambda on: np.zeros((len(on), 1)))
