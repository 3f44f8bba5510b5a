"""Integrated gradients against captum, and against what they must add up to."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.errors import AppError
from core.salience import method, request_for

PROMPT, RESPONSE = "The soup has cheese", " would"


@pytest.mark.parametrize(("family", "baseline"), [("gpt2", "zero"), ("gemma2", "mean")])
def test_equals_captum(load_tiny, family, baseline):

    model = load_tiny(family)
    tokens = model.tokenize(PROMPT, RESPONSE)
    start = tokens.prompt_len
    request = request_for(
        model,
        tokens,
        "integrated_gradients",
        targets=((start, start + 1),),
        options=(("steps", 8), ("baseline", baseline)),
    )
    told: list[float] = []
    matrix = method("integrated_gradients").run(model, request, on_progress=told.append)
    assert told == [step / 8 for step in range(1, 9)]
    net = model.model
    module = net.get_input_embeddings()
    embeddings = module(torch.tensor(tokens.ids[:start])[None]).detach()
    blank = torch.zeros(embeddings.shape[-1]) if baseline == "zero" else model.mean_embedding()

    def logprob(moved: torch.Tensor) -> torch.Tensor:
        return torch.log_softmax(net(inputs_embeds=moved, use_cache=False).logits[:, -1], -1)

    from captum.attr import IntegratedGradients

    found = IntegratedGradients(logprob).attribute(
        embeddings,
        blank.expand_as(embeddings).contiguous(),
        target=int(tokens.ids[start]),
        n_steps=8,
        method="gausslegendre",
    )
    np.testing.assert_allclose(
        matrix.values[0, :start], found[0].sum(-1).detach().numpy(), rtol=1e-3, atol=1e-4
    )


def test_scores_add_up_to_the_change(load_tiny):
    """GPT-2 (no division by the length of a vector that goes to zero): many steps leave next to no gap."""
    model = load_tiny("gpt2")
    tokens = model.tokenize(PROMPT, RESPONSE)
    options = (("steps", 100), ("baseline", "mean"))
    matrix = method("integrated_gradients").run(
        model, request_for(model, tokens, "integrated_gradients", options=options)
    )
    assert matrix.note == ""
    coarse = method("integrated_gradients").run(
        model, request_for(model, tokens, "integrated_gradients", options=(("steps", 2),))
    )
    assert "With 2 steps" in coarse.note


def test_steps_have_bounds(load_tiny):
    model = load_tiny("gpt2")
    tokens = model.tokenize(PROMPT, RESPONSE)
    with pytest.raises(AppError, match="“Steps” should be 2 to 200, but it is 1"):
        method("integrated_gradients").run(
            model, request_for(model, tokens, "integrated_gradients", options=(("steps", 1),))
        )
