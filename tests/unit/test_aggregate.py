"""Selections equal the definition in float64; shares, ranks and floors are those worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.aggregate import (
    column_scores,
    countable,
    decisive_share,
    nothing_decisive,
    ranked,
    rows_for,
    scale_top,
    select,
    share_of,
    shares,
    strengths,
    to_segments,
)
from core.errors import AppError
from core.records import ModelSpec, Role, SalienceMatrix, SalienceRequest, Segment

MODEL = ModelSpec("m", "m")


def request(count: int, size: int, prompt: int, width: int = 1) -> SalienceRequest:
    targets = tuple((prompt + i * width, prompt + (i + 1) * width) for i in range(count))
    return SalienceRequest(MODEL, tuple(range(size)), prompt, "grad_l2", targets)


def norms(gradients: np.ndarray) -> SalienceMatrix:
    """The matrix of norms for gradients (N, T, D)."""
    count, size, _ = gradients.shape
    per_token = gradients.transpose(1, 0, 2)
    gram = per_token @ per_token.transpose(0, 2, 1)
    values = np.linalg.norm(gradients, axis=2)
    return SalienceMatrix(request(count, size, size - count), values, gram, False, "nats")


def segment(index: int, tokens: tuple[int, int], role: Role = Role.PROMPT, text: str = "x") -> Segment:
    return Segment(index, text, (index, index + 1), tokens, role)


COLUMNS = (segment(0, (0, 1), Role.TEMPLATE), segment(1, (1, 3)), segment(2, (3, 4)), segment(3, (4, 6)))


@pytest.mark.parametrize(
    "weights",
    [
        [0, 0, 0, 0, 0],
        [0, 0, 1, 0, 0],
        [0, 0, -2.5, 0, 0],
        [1, 1, 1, 1, 1],
        [0, 1, 0, 0, 1],
        [0.5, 0, -1.5, 2, 0],
    ],
)
def test_a_gram_selection_is_the_norm_of_the_summed_gradients(weights: list[float]) -> None:
    gradients = np.random.default_rng(0).standard_normal((5, 9, 7))
    fresh = np.linalg.norm(np.einsum("n,ntd->td", weights, gradients), axis=1)
    np.testing.assert_allclose(select(norms(gradients), np.array(weights)), fresh, rtol=1e-5, atol=1e-6)


def test_a_boolean_choice_is_weights_of_one() -> None:
    matrix = norms(np.random.default_rng(1).standard_normal((4, 6, 3)))
    rows = np.array([True, False, True, False])
    np.testing.assert_array_equal(select(matrix, rows), select(matrix, rows.astype(float)))


def test_gradients_that_cancel_give_zero_and_never_nan() -> None:
    gradient = np.random.default_rng(2).standard_normal((1, 8, 16))
    got = select(norms(np.concatenate([gradient, -gradient])), np.ones(2))
    assert np.isfinite(got).all()
    np.testing.assert_allclose(got, 0, atol=1e-2 * np.linalg.norm(gradient, axis=2).min())


def test_a_squared_norm_below_zero_is_clipped() -> None:
    gram = np.array([[[1, -1.000001], [-1.000001, 1]]], np.float32)
    matrix = SalienceMatrix(
        SalienceRequest(MODEL, (1,), 0, "grad_l2", ()), np.zeros((0, 1)), None, False, "nats"
    )
    assert select(matrix, np.zeros(0)).tolist() == [0]
    one = SalienceMatrix(
        SalienceRequest(MODEL, (1, 2, 3), 1, "grad_l2", ((1, 2), (2, 3))),
        np.ones((2, 3)),
        np.repeat(gram, 3, axis=0),
        False,
        "nats",
    )
    assert select(one, np.ones(2)).tolist() == [0, 0, 0]


def test_without_a_gram_matrix_rows_add() -> None:
    matrix = SalienceMatrix(request(2, 4, 2), [[1, -2, 0, 0], [3, 4, 5, 0]], None, True, "nats")
    assert select(matrix, np.array([True, True])).tolist() == [4, 2, 5, 0]
    assert select(matrix, np.array([2.0, -1.0])).tolist() == [-1, -8, -5, 0]


def test_a_choice_of_another_length_is_refused() -> None:
    with pytest.raises(AppError, match=r"\(2,\).*\(3,\)"):
        select(SalienceMatrix(request(2, 4, 2), np.ones((2, 4)), None, False, "nats"), np.ones(3))


def test_rows_of_a_partition_are_a_partition_of_the_rows() -> None:
    matrix = SalienceMatrix(request(3, 9, 3, width=2), np.ones((3, 9)), None, False, "nats")
    # Targets 3:5, 5:7, 7:9; a boundary at 6 falls inside the second, which goes with where it starts.
    assert rows_for(matrix, (3, 6)).tolist() == [1, 1, 0]
    assert rows_for(matrix, (6, 9)).tolist() == [0, 0, 1]
    assert rows_for(matrix, (4, 5)).tolist() == [1, 0, 0]
    assert rows_for(matrix, (0, 3)).tolist() == [0, 0, 0]


def test_reductions_by_hand() -> None:
    scores = np.array([9, 1, -3, 4, 0, 2], np.float32)
    assert column_scores(scores, COLUMNS, "sum").tolist() == [9, -2, 4, 2]
    assert column_scores(scores, COLUMNS, "mean").tolist() == [9, -1, 4, 1]
    assert column_scores(scores, COLUMNS, "max").tolist() == [9, -3, 4, 2]
    with pytest.raises(AppError, match="median"):
        column_scores(scores, COLUMNS, "median")  # type: ignore[arg-type]


def test_the_whole_map() -> None:
    gradients = np.random.default_rng(3).standard_normal((4, 10, 5))
    matrix = norms(gradients)
    rows = (segment(0, (6, 9), Role.RESPONSE), segment(1, (9, 10), Role.RESPONSE))
    got = to_segments(matrix, rows, COLUMNS)
    fresh = np.linalg.norm(gradients[:3].sum(0), axis=1)
    want = [fresh[0], fresh[1:3].sum(), fresh[3], fresh[4:6].sum()]
    np.testing.assert_allclose(got.values[0], want, rtol=1e-5)
    assert got.values.shape == (2, 4)
    assert to_segments(matrix, (), COLUMNS).values.shape == (0, 4)
    first = replace(matrix.request, targets=matrix.request.targets[:1])
    some = replace(matrix, request=first, values=matrix.values[:1], gram=None, combines="add")
    there = to_segments(some, rows, COLUMNS).values
    assert np.isnan(there[-1]).all()  # a row that has yet to come is not said to be nothing


def test_what_counts() -> None:
    assert countable(COLUMNS).tolist() == [False, True, True, True]
    assert countable(COLUMNS, target=(2, 4)).tolist() == [False, False, False, True]
    assert countable((segment(0, (6, 7), Role.RESPONSE),)).tolist() == [False]


def test_shares_by_hand() -> None:
    values = np.array([100, 3, -1, 0], np.float32)
    assert shares(values, countable(COLUMNS)).tolist() == [0, 0.75, -0.25, 0]
    assert shares(np.zeros(3, np.float32)).tolist() == [0, 0, 0]


@given(arrays(np.float32, st.integers(1, 20), elements=st.floats(-1e6, 1e6, width=32)))
def test_shares_add_to_the_whole(values: np.ndarray) -> None:
    total = np.abs(shares(values)).sum()
    assert total == pytest.approx(1, abs=1e-5) if np.abs(values).sum() > 0 else total == 0


def test_ranked_leads_with_the_strongest_and_leaves_out_what_does_not_count() -> None:
    got = ranked(COLUMNS, np.array([50, 1, -3, 1], np.float32))
    assert [(r.rank, r.segment.index, r.share, r.score) for r in got] == [
        (1, 2, pytest.approx(-0.6), -3),
        (2, 1, pytest.approx(0.2), 1),
        (3, 3, pytest.approx(0.2), 1),
    ]
    assert len(ranked(COLUMNS, np.ones(4, np.float32), limit=2)) == 2


@pytest.mark.parametrize(
    ("count", "floor"), [(2, 2 / 3), (3, 0.5), (9, 0.2), (19, 0.1), (39, 0.05), (400, 0.05)]
)
def test_the_share_that_is_decisive(count: int, floor: float) -> None:
    assert decisive_share(count) == pytest.approx(floor)
    flat = np.full(count, 1 / count, np.float32)
    assert nothing_decisive(flat)
    peaked = np.full(count, (1 - floor - 0.01) / (count - 1), np.float32)
    peaked[0] = floor + 0.01
    assert not nothing_decisive(peaked)


def test_nothing_is_decisive_where_there_is_nothing_to_compare() -> None:
    assert nothing_decisive(np.zeros(5, np.float32))
    assert nothing_decisive(np.ones(1, np.float32))
    assert nothing_decisive(np.zeros(0, np.float32))
    assert nothing_decisive(np.array([0, 0.5, 0.5]), np.array([False, True, True]))


def test_what_is_negligible_is_not_decisive_however_large_its_share() -> None:
    weak, strong = np.array([0.04, 0.01, 0.0], np.float32), np.array([0.4, 0.1, 0.0], np.float32)
    parts = shares(weak)
    assert parts.tolist() == pytest.approx(shares(strong).tolist()) and not nothing_decisive(parts)
    assert share_of(0.1, weak) == pytest.approx(2.0) and share_of(0.1, strong) == pytest.approx(0.2)
    assert nothing_decisive(parts, negligible=share_of(0.1, weak))
    assert not nothing_decisive(parts, negligible=share_of(0.1, strong))
    assert scale_top(parts, negligible=share_of(0.1, weak)) == pytest.approx(4.0)  # so it is drawn pale
    assert scale_top(parts, negligible=share_of(0.1, strong)) == scale_top(parts)
    assert share_of(0.1, np.zeros(3, np.float32)) == 0
    assert share_of(0.1, weak, np.array([False, True, True])) == pytest.approx(10.0)


@pytest.mark.parametrize(("count", "floor"), [(2, 1.0), (3, 1.0), (9, 0.4), (19, 0.2), (400, 0.1)])
def test_the_darkest_colour_is_never_less_than_twice_a_decisive_share(count: int, floor: float) -> None:
    assert scale_top(np.full(count, 1 / count, np.float32)) == pytest.approx(floor)
    assert scale_top(np.zeros(count, np.float32)) == pytest.approx(floor)
    clear = np.zeros(count, np.float32)
    clear[0] = 0.95
    assert scale_top(clear) == pytest.approx(max(0.95, floor))
    # What does not count neither sets the scale nor widens it.
    apart = np.concatenate([np.full(count, 1 / count, np.float32), [7.0]]).astype(np.float32)
    assert scale_top(apart, np.arange(count + 1) < count) == pytest.approx(floor)


@pytest.mark.parametrize("count", [2, 5, 12, 60, 500])
def test_a_flat_map_looks_flat_and_a_clear_one_does_not(count: int) -> None:
    flat = np.full(count, 1 / count, np.float32)
    assert flat.max() / scale_top(flat) <= 0.5
    clear = np.full(count, 0.1 / (count - 1), np.float32)
    clear[-1] = 0.9
    assert clear[-1] / scale_top(clear) >= 0.9


def alone(values: list[list[float]], prompt: int) -> SalienceMatrix:
    """A matrix whose rows do not combine."""
    size = len(values[0])
    return SalienceMatrix(request(len(values), size, prompt), values, None, False, "nats", combines="alone")


def test_rows_that_do_not_combine_are_taken_one_by_one() -> None:
    matrix = alone([[1, 2, 0, 0], [3, 4, 5, 0]], 2)
    assert select(matrix, np.array([0, 1])).tolist() == [3, 4, 5, 0]
    assert select(matrix, np.array([-2.0, 0])).tolist() == [2, 4, 0, 0]
    with pytest.raises(AppError, match="2 rows of grad_l2") as refused:
        select(matrix, np.ones(2))
    assert refused.value.code == "needs_a_pass"


def test_a_map_of_rows_that_do_not_combine_leaves_several_open() -> None:
    matrix = alone([[1, 2, 0, 0], [3, 4, 5, 0]], 2)
    both, first, second = segment(0, (2, 4)), segment(1, (2, 3)), segment(2, (3, 4))
    got = to_segments(matrix, (both, first, second), (segment(0, (0, 1)), segment(1, (1, 2)))).values
    assert np.isnan(got[0]).all()
    assert got[1:].tolist() == [[1, 2], [3, 4]]


def test_a_map_reduces_its_columns_as_it_was_asked_to() -> None:
    matrix = SalienceMatrix(request(1, 4, 3), [[1, -4, 5, 0]], None, True, "nats")
    rows, columns = (segment(0, (3, 4), Role.RESPONSE),), (segment(0, (0, 2)), segment(1, (2, 3)))
    want = {"sum": [-3, 5], "mean": [-1.5, 5], "max": [-4, 5]}
    assert {how: to_segments(matrix, rows, columns, how).values[0].tolist() for how in want} == want
    assert column_scores(select(matrix, np.ones(1)), columns).tolist() == want["sum"]


def test_a_segment_without_tokens_is_nothing_and_ends_nothing() -> None:
    columns = (segment(0, (0, 1)), segment(1, (1, 1)), segment(2, (1, 3)))
    assert column_scores(np.array([3, 1, 2], np.float32), columns).tolist() == [3, 0, 3]


def test_a_span_inside_coarse_rows_takes_those_that_it_overlaps_and_no_neighbour() -> None:
    matrix = SalienceMatrix(request(3, 9, 3, width=2), np.ones((3, 9)), None, False, "nats")
    # Targets 3:5, 5:7, 7:9. The token 6 starts none; its row is the second, and the first only ends before it.
    assert rows_for(matrix, (6, 7)).tolist() == [0, 1, 0]
    wide = SalienceMatrix(
        SalienceRequest(MODEL, tuple(range(9)), 3, "grad_l2", ((3, 6), (8, 9))),
        np.ones((2, 9)),
        None,
        False,
        "nats",
    )
    assert rows_for(wide, (6, 8)).tolist() == [0, 0]  # the row 3:6 ends where the span begins
    none = SalienceMatrix(
        SalienceRequest(MODEL, (1,), 0, "grad_l2", ()), np.zeros((0, 1)), None, False, "nats"
    )
    assert rows_for(none, (0, 1)).shape == (0,)


def test_a_column_that_ends_where_the_target_begins_counts() -> None:
    assert countable((segment(0, (0, 2)), segment(1, (2, 3))), target=(2, 3)).tolist() == [True, False]


def test_every_result_is_float32_and_every_mask_bool() -> None:
    gradients = np.random.default_rng(4).standard_normal((3, 6, 4))
    matrix, scores = norms(gradients), np.arange(6, dtype=np.float64)
    rows = (segment(0, (3, 5), Role.RESPONSE), segment(1, (5, 6), Role.RESPONSE))
    found = [
        select(matrix, [True, True, False]),  # type: ignore[arg-type]
        select(matrix, np.zeros(3)),
        select(matrix, np.array([0.0, 2.0, 0.0])),
        rows_for(matrix, (3, 5)),
        column_scores(scores, COLUMNS),  # type: ignore[arg-type]
        to_segments(matrix, rows, COLUMNS).values,
        to_segments(matrix, (), COLUMNS).values,
        shares(scores),  # type: ignore[arg-type]
    ]
    assert {one.dtype for one in found} == {np.dtype(np.float32)}
    assert countable(COLUMNS).dtype == countable(()).dtype == np.bool_


def test_a_large_score_does_not_swallow_the_small_ones() -> None:
    # In float32 each 1 beside 2**24 is lost; here a thousand of them are 1000 / (2**24 + 1000) of the whole.
    values = np.array([2**24] + [1] * 1000, np.float32)
    total = 2**24 + 1000
    assert shares(values)[0] == np.float32(2**24 / total)
    assert share_of(1.0, values) == 1 / total
    few = values[:129]
    matrix = SalienceMatrix(
        request(129, 130, 1), np.ones((129, 130)), np.repeat(np.diag(few)[None], 130, axis=0), False, "nats"
    )
    assert select(matrix, np.ones(129))[0] == np.float32(np.sqrt(2**24 + 128))


def test_a_share_exactly_at_the_bar_is_decisive() -> None:
    assert decisive_share(3) == 0.5
    assert not nothing_decisive(np.array([0.5, 0.25, 0.25], np.float32))
    assert decisive_share(0) == decisive_share(1) == 1


def test_the_scale_of_a_map_without_columns_has_its_floor() -> None:
    assert scale_top(np.zeros(0, np.float32)) == 1


def test_ranked_counts_what_it_is_told_to_and_reads_signed_scores_by_their_value() -> None:
    values = np.array([50, 1, -3, 2], np.float32)
    everything = np.ones(4, np.bool_)
    assert [one.segment.index for one in ranked(COLUMNS, values, everything)] == [0, 2, 3, 1]
    assert [one.segment.index for one in ranked(COLUMNS, values, by="value")] == [3, 1, 2]
    assert ranked(COLUMNS, values, everything)[0].share == pytest.approx(50 / 56)


def test_equal_scores_stay_in_reading_order_however_many() -> None:
    columns = tuple(segment(i, (i, i + 1)) for i in range(40))
    values = np.array([1, 2] * 20, np.float32)
    want = [*range(1, 40, 2), *range(0, 40, 2)]
    assert [one.segment.index for one in ranked(columns, values)] == want


def test_by_value_the_strongest_is_the_most_positive_and_a_large_negative_decides_nothing() -> None:
    parts = np.array([0.2, -0.6, 0.2], np.float32)
    assert strengths(parts, "value").tolist() == parts.tolist()
    assert not nothing_decisive(parts) and nothing_decisive(parts, by="value")
    columns = [Segment(i, "x", (i, i + 1), (i, i + 1), Role.PROMPT) for i in range(3)]
    assert [one.segment.index for one in ranked(columns, parts, by="value")] == [0, 2, 1]
    assert [one.segment.index for one in ranked(columns, parts)] == [1, 0, 2]
