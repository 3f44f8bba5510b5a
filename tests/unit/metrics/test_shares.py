"""Intervals and tests of shares, against published figures and plain counting."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from core.metrics import MetricRow, aggregate, compare, measure, metric, shares


def rows(answers: str) -> list[MetricRow]:
    return [MetricRow(str(i), answer, "x") for i, answer in enumerate(answers)]


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [(0, 8, 0.0, 0.3694), (8, 8, 0.6306, 1.0), (1, 10, 0.0025, 0.4450), (81, 263, 0.2527, 0.3676)],
)
def test_the_exact_interval_is_the_published_one(hits: int, count: int, low: float, high: float) -> None:
    assert shares.exact(hits, count) == pytest.approx((low, high), abs=1e-4)


def test_the_score_interval_is_the_published_one() -> None:
    assert shares.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe 1998, part one


def test_no_hit_of_eight_has_room_above() -> None:
    whole = aggregate(measure(rows("yyyyyyyy"), metric("exact_match")))
    assert (whole.value, whole.low) == (0, 0) and whole.high == pytest.approx(0.369, abs=1e-3)


def test_p_is_the_count_of_all_ways_a_coin_can_fall() -> None:
    first = np.array([1, 1, 1, 0, 0, 0, 0, 0, 1, 0], bool)
    second = np.array([0, 1, 1, 1, 1, 1, 1, 0, 1, 0], bool)
    gained, lost = 4, 1
    falls = [sum(throws) for throws in product((0, 1), repeat=gained + lost)]
    expected = sum(min(f, 5 - f) <= lost for f in falls) / len(falls)
    low, high, p = shares.paired(first, second)
    assert p == pytest.approx(expected)
    assert low < 0.3 < high


def test_the_interval_of_a_paired_difference_is_that_of_method_10() -> None:
    # e, f, g, h = 20, 12, 2, 16 put into the paper's equations for method 10 by hand
    one = np.array([1] * 20 + [1] * 12 + [0] * 2 + [0] * 16, bool)
    other = np.array([1] * 20 + [0] * 12 + [1] * 2 + [0] * 16, bool)
    low, high, _p = shares.paired(other, one)
    assert (low, high) == pytest.approx((0.0562, 0.3292), abs=1e-4)
    assert shares.paired(one, other)[:2] == pytest.approx((-high, -low))


def test_eight_of_eight_against_none_is_told_as_what_eight_rows_can_say() -> None:
    seen = compare(
        measure(rows("yyyyyyyy"), metric("exact_match")), measure(rows("xxxxxxxx"), metric("exact_match"))
    )
    assert (seen.difference, seen.p, seen.test) == (1, pytest.approx(2 * 0.5**8), "McNemar, exact")
    assert seen.low < 0.75 and seen.high == 1


def test_the_bootstrap_says_where_it_cannot() -> None:
    alike = aggregate(measure(rows("yyyy"), metric("length_ratio")))
    assert np.isnan([alike.low, alike.high]).all() and "alike" in alike.note
    single = aggregate(measure(rows("y"), metric("bleu")))
    assert np.isnan(single.low) and single.note == "one row has no interval"
    longer = [MetricRow(str(i), "yy", "x") for i in range(4)]
    seen = compare(measure(rows("yyyy"), metric("length_ratio")), measure(longer, metric("length_ratio")))
    assert seen.difference == 1 and np.isnan(seen.p)


@pytest.mark.parametrize(("hits", "low", "high"), [(0, 0.0, 0.7935), (1, 0.2065, 1.0)])
def test_the_score_interval_of_one_row(hits: int, low: float, high: float) -> None:
    # z^2 / (1 + z^2) = 0.7935 is what one row leaves open.
    assert shares.wilson(hits, 1) == pytest.approx((low, high), abs=1e-4)


def test_none_and_all_are_told_without_rounding() -> None:
    assert {shares.wilson(0, rows)[0] for rows in range(1, 200)} == {0.0}
    assert {shares.wilson(rows, rows)[1] for rows in range(1, 200)} == {1.0}
    assert np.isnan([shares.wilson(0, 0), shares.exact(0, 0)]).all()


@pytest.mark.parametrize(
    ("both", "neither", "gained", "lost", "phi"),
    [
        (1, 1, 3, 3, -0.5),  # (1 * 1 - 3 * 3) / sqrt(4 * 4 * 4 * 4)
        (2, 2, 1, 1, 0.0),  # the correction, half of 6 rows, takes 2 * 2 - 1 away
        (1, 2, 1, 1, 0.0),  # it takes away more than there is
        (4, 4, 1, 1, 10 / 25),  # (4 * 4 - 1 - 5) / (5 * 5)
    ],
)
def test_the_correlation_of_the_pairs_widens_or_narrows_the_interval(
    both: int, neither: int, gained: int, lost: int, phi: float
) -> None:
    first = np.array([1] * both + [0] * neither + [0] * gained + [1] * lost, bool)
    second = np.array([1] * both + [0] * neither + [1] * gained + [0] * lost, bool)
    low, high, _p = shares.paired(first, second)
    rows, share = len(first), (both + gained) / len(first)
    down, up = share - shares.wilson(both + gained, rows)[0], shares.wilson(both + gained, rows)[1] - share
    half = (down**2 - 2 * phi * down * up + up**2) ** 0.5
    assert (low, high) == pytest.approx((-half, half))


def test_p_counts_every_uneven_fall_on_both_sides() -> None:
    first, second = np.array([0] * 5 + [1] * 3, bool), np.array([1] * 5 + [0] * 3, bool)
    assert shares.paired(first, second)[2] == pytest.approx(2 * (1 + 8 + 28 + 56) / 256)
    assert shares.paired(second, first)[2] == pytest.approx(2 * (1 + 8 + 28 + 56) / 256)
