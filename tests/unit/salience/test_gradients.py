"""The engine against plain autograd: values, Gram selection, causality."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.models.local.causal_tape import ATTENTION_OUTPUT
from core.salience import METHODS, method, request_for, span
from core.salience.gradients import backward

from .oracles import plain_gradient

PROMPT = "The soup has cheese in it.\nSo a vegan"


@pytest.mark.parametrize("family", ["gpt2", "gemma2"])
def test_rows_equal_plain_autograd(load_tiny, family):
    model = load_tiny(family)
    tokens = model.tokenize(PROMPT, " would not")
    rows = len(tokens) - tokens.prompt_len
    l2 = method("grad_l2").run(model, request_for(model, tokens, "grad_l2"))
    dot = method("grad_dot_input").run(model, request_for(model, tokens, "grad_dot_input"))
    for row in range(rows):
        gradient, embeddings = plain_gradient(model, tokens, np.eye(rows)[row])
        norms = np.linalg.norm(gradient, axis=1)
        np.testing.assert_allclose(l2.values[row], norms, rtol=1e-4, atol=1e-5 * norms.max())
        products = -(gradient * embeddings).sum(1)
        np.testing.assert_allclose(dot.values[row], products, rtol=1e-4, atol=1e-5 * abs(products).max())


@pytest.mark.parametrize("weights", [[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0], [1, -1, 0.5, 2]])
def test_gram_selection_equals_a_fresh_backward(load_tiny, weights):
    model = load_tiny("gemma2")
    tokens = model.tokenize(PROMPT, "soup")
    weights = np.array(weights, np.float32)[: len(tokens) - tokens.prompt_len]
    matrix = method("grad_l2").run(model, request_for(model, tokens, "grad_l2"))
    chosen = np.sqrt(np.maximum(np.einsum("n,tnm,m->t", weights, matrix.gram, weights), 0))
    gradient, _ = plain_gradient(model, tokens, weights)
    norms = np.linalg.norm(gradient, axis=1)
    np.testing.assert_allclose(chosen, norms, rtol=1e-5, atol=1e-5 * max(norms.max(), 1e-9))


@pytest.mark.parametrize("name", [m.name for m in METHODS])
def test_nothing_from_the_explained_token_on(load_tiny, name):
    model = load_tiny("gpt2")
    tokens = model.tokenize(PROMPT, " would not")
    matrix = method(name).run(model, request_for(model, tokens, name))
    for row, (_, end) in enumerate(matrix.request.targets):
        assert (matrix.values[row, end - 1 :] == 0).all()
        assert (matrix.values[row, : end - 1] != 0).any()


@pytest.mark.parametrize("family", sorted(ATTENTION_OUTPUT))
def test_the_last_layer_is_left_out_of_the_backward_passes(load_tiny, family):
    """Where a family is known, backward passes start beneath its last layer, with the same result."""
    model = load_tiny(family)
    tokens = model.tokenize(PROMPT, " would not")
    positions = np.arange(tokens.prompt_len, len(tokens))
    with model.tape(tokens.ids, positions) as tape:
        assert tape.outputs.shape[1] > model.model.config.hidden_size
        beneath = torch.stack(list(backward(tape, torch.eye(len(positions)))))
    known = dict(ATTENTION_OUTPUT)
    ATTENTION_OUTPUT.clear()
    try:
        with model.tape(tokens.ids, positions) as tape:
            assert tape.outputs.shape[1] == model.model.config.hidden_size
            above = torch.stack(list(backward(tape, torch.eye(len(positions)))))
    finally:
        ATTENTION_OUTPUT.update(known)
    torch.testing.assert_close(beneath, above, rtol=1e-4, atol=1e-6)


def test_a_span_is_the_loss_of_its_tokens_together(load_tiny):
    model = load_tiny("gemma2")
    tokens = model.tokenize(PROMPT, " would not")
    rows = len(tokens) - tokens.prompt_len
    together = span(model, tokens, "grad_l2", (tokens.prompt_len, len(tokens)))
    gradient, _ = plain_gradient(model, tokens, np.ones(rows))
    np.testing.assert_allclose(together, np.linalg.norm(gradient, axis=1), rtol=1e-4, atol=1e-6)
