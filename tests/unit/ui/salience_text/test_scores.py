"""What travels to the browser, decoded by hand and held against `core.aggregate`."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core import aggregate
from core.records import ModelSpec, Reduce, Role, SalienceMatrix, SalienceRequest, Segment
from core.ui.salience_text.scores import Scores, chosen_weights, pack

PROMPT = (
    Segment(0, "<user>", (0, 6), (0, 1), Role.TEMPLATE),
    Segment(1, "one two\n", (6, 14), (1, 3), Role.PROMPT),
    Segment(2, "three four five", (14, 29), (3, 6), Role.PROMPT),
)
RESPONSE = (
    Segment(0, "six seven ", (29, 39), (6, 8), Role.RESPONSE),
    Segment(1, "eight ", (39, 45), (8, 9), Role.RESPONSE),
    Segment(2, "nine ten", (45, 53), (9, 11), Role.RESPONSE),
)
SPANS = tuple((t, t + 1) for t in range(6, 11))


def made(norm: bool, spans: tuple[tuple[int, int], ...] = SPANS) -> SalienceMatrix:
    gradients = np.random.default_rng(5).normal(size=(11, len(spans), 3)).astype(np.float32)
    gram = np.einsum("tnd,tmd->tnm", gradients, gradients)
    values = np.sqrt(np.einsum("tnn->nt", gram)) if norm else gradients.sum(2).T
    request = SalienceRequest(ModelSpec("m", "m"), tuple(range(11)), 6, "any", spans)
    return SalienceMatrix(request, values, gram if norm else None, not norm, "nats")


def browser(scores: Scores, selection: tuple[int, ...]) -> NDArray[Any] | None:
    """What `scores.js` works out from the wire alone, in a few lines of another language."""
    wire = scores.wire
    data = np.frombuffer(base64.b64decode(wire["data"]), "<f4").reshape(-1, wire["width"])
    if not all(wire["available"][r] for r in selection) or (wire["kind"] == "single" and len(selection) > 1):
        return None
    if wire["kind"] == "gram":
        upper = list(zip(*np.triu_indices(wire["rows"])))
        squared = sum(
            data[upper.index((min(a, b), max(a, b)))].astype(float) for a in selection for b in selection
        )
        tokens = np.sqrt(np.maximum(squared, 0))
    else:
        tokens = data[list(selection)].sum(axis=0)
    columns = [
        Segment(i, "", (0, 0), span, Role.PROMPT) for i, span in enumerate(zip(wire["starts"], wire["stops"]))
    ]
    return aggregate.column_scores(tokens, columns, wire["reduce"])


def wanted(matrix: SalienceMatrix, selection: tuple[int, ...], reduce: Reduce) -> NDArray[Any]:
    weights = chosen_weights(matrix, RESPONSE, selection)
    return aggregate.column_scores(aggregate.select(matrix, weights), PROMPT, reduce)


@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("reduce", ["sum", "mean", "max"])
@pytest.mark.parametrize("selection", [(0,), (1, 2), (0, 2), (0, 1, 2)])
def test_any_selection_is_exact_in_the_browser(
    norm: bool, reduce: Reduce, selection: tuple[int, ...]
) -> None:
    matrix = made(norm)
    scores = pack(matrix, RESPONSE, PROMPT, reduce)
    assert scores.kind == ("gram" if norm else "additive")
    np.testing.assert_allclose(browser(scores, selection), wanted(matrix, selection, reduce), rtol=2e-6)


def test_the_norm_of_a_set_is_not_the_sum_of_norms() -> None:
    scores = pack(made(True), RESPONSE, PROMPT)
    together, apart = browser(scores, (0, 1)), [browser(scores, (r,)) for r in (0, 1)]
    assert (together < apart[0] + apart[1] - 0.1).all()


@pytest.mark.parametrize("reduce", ["sum", "max"])
def test_what_is_too_large_travels_as_single_rows(reduce: Reduce) -> None:
    matrix = made(True)
    scores = pack(matrix, RESPONSE, PROMPT, reduce, limit_bytes=100)
    assert scores.kind == "single" and browser(scores, (0, 1)) is None
    np.testing.assert_allclose(browser(scores, (2,)), wanted(matrix, (2,), reduce), rtol=2e-6)


def test_large_additive_maps_still_add() -> None:
    matrix = made(False)
    scores = pack(matrix, RESPONSE, PROMPT, "mean", limit_bytes=60)
    assert (scores.kind, scores.data.shape) == ("additive", (3, 3))
    np.testing.assert_allclose(browser(scores, (0, 2)), wanted(matrix, (0, 2), "mean"), rtol=2e-6)
    assert pack(matrix, RESPONSE, PROMPT, "max", limit_bytes=60).kind == "single"


def test_far_too_large_maps_leave_all_to_python() -> None:
    scores = pack(made(True), RESPONSE, PROMPT, limit_bytes=10)
    assert scores.data.size == 0 and not any(scores.available)


def test_segments_that_share_a_coarse_row_are_not_added_twice() -> None:
    matrix = made(True, ((6, 9), (9, 11)))
    scores = pack(matrix, RESPONSE, PROMPT)
    assert scores.kind == "single"
    np.testing.assert_allclose(browser(scores, (1,)), wanted(matrix, (0,), "sum"), rtol=2e-6)
    assert chosen_weights(matrix, RESPONSE, (0, 1)).tolist() == [1, 0]


def test_before_the_matrix_only_given_selections_are_there() -> None:
    values = np.array([0, 1, 3], np.float32)
    wire = pack(None, RESPONSE, PROMPT, exact={(1, 2): values}).wire
    assert (wire["available"], wire["data"]) == ([False] * 3, "")
    assert np.frombuffer(base64.b64decode(wire["exact"]["1,2"]), "<f4").tolist() == [0, 1, 3]


def test_the_rules_of_decisive_and_of_the_floor_are_those_of_aggregate() -> None:
    wire = pack(made(True), RESPONSE, PROMPT).wire
    assert wire["decisive"] == pytest.approx(2 / 3) and wire["floor"] == 1
    alone = pack(made(True), RESPONSE, PROMPT[:2]).wire
    assert alone["decisive"] > 1


def test_what_is_negligible_travels() -> None:
    assert pack(made(True), RESPONSE, PROMPT).wire["negligible"] == 0
    assert pack(None, RESPONSE, PROMPT, negligible=0.1).wire["negligible"] == 0.1


def test_the_same_scores_keep_their_id_and_others_do_not() -> None:
    first, again = (pack(made(True), RESPONSE, PROMPT).wire["id"] for _ in range(2))
    other = pack(made(True), RESPONSE, PROMPT, "mean").wire["id"]
    assert first == again != other
