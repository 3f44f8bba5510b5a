"""What a new method needs: a score and a declaration. Here the L1 norm, whose rows make nothing of several."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.aggregate import rows_for, select, to_segments
from core.errors import AppError
from core.records import SalienceRequest
from core.salience.declaration import Method
from core.segments import segments
from core.store.bundle import salience_from_bytes, salience_to_bytes
from core.token_view.scores import pack

from .oracles import plain_gradient

GRAD_L1 = Method(
    name="grad_l1",
    label="Grad L1",
    description="How strongly the answer reacts to a change of each token, all directions added up.",
    units="nats per unit of embedding",
    signed=False,
    combines="alone",
    score=lambda gradient, _embeddings: gradient.abs().sum(-1),
)


@pytest.fixture
def explained(load_tiny):
    model = load_tiny("gpt2")
    tokens = model.tokenize("The soup has\ntwo lines", " cheese in it")
    targets = tuple((i, i + 1) for i in range(tokens.prompt_len, len(tokens)))
    request = SalienceRequest(model.spec, tuple(tokens.ids.tolist()), tokens.prompt_len, "grad_l1", targets)
    return model, tokens, GRAD_L1.run(model, request, tokens=tokens)


def test_its_rows_are_the_score_of_their_own_gradient(explained) -> None:
    model, tokens, matrix = explained
    for row in range(len(matrix.values)):
        gradient, _ = plain_gradient(model, tokens, np.eye(len(matrix.values))[row])
        np.testing.assert_allclose(matrix.values[row], np.abs(gradient).sum(-1), rtol=1e-4, atol=1e-6)


def test_a_row_is_a_selection_and_several_are_not(explained) -> None:
    _, tokens, matrix = explained
    one = rows_for(matrix, (tokens.prompt_len, tokens.prompt_len + 1))
    np.testing.assert_array_equal(select(matrix, one), matrix.values[0])
    with pytest.raises(AppError, match="2 rows of grad_l1 do not make one") as caught:
        select(matrix, rows_for(matrix, (tokens.prompt_len, tokens.prompt_len + 2)))
    assert caught.value.code == "needs_a_pass"
    whole = segments(tokens, "line", "response")
    assert np.isnan(to_segments(matrix, whole, segments(tokens, "line", "prompt")).values).all()


def test_the_browser_is_given_single_rows_and_adds_nothing(explained) -> None:
    _, tokens, matrix = explained
    columns = segments(tokens, "line", "prompt")
    fine = pack(matrix, segments(tokens, "token", "response"), columns)
    assert (fine.kind, set(fine.available)) == ("single", {True})
    coarse = pack(matrix, segments(tokens, "line", "response"), columns)
    assert (coarse.kind, set(coarse.available)) == ("single", {False})


def test_it_is_kept_with_how_it_combines(explained) -> None:
    _, _, matrix = explained
    back = salience_from_bytes(salience_to_bytes(matrix))
    assert back.combines == "alone"
    np.testing.assert_array_equal(back.values, matrix.values)


def test_a_matrix_holds_inner_products_where_it_combines_by_them_and_nowhere_else(explained) -> None:
    _, _, matrix = explained
    with pytest.raises(AppError, match="“gram” need inner products"):
        replace(matrix, combines="gram")
