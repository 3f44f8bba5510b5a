"""The numbers against outside oracles: finite differences, captum, inseq, and a left-padded pass."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.salience import method, request_for
from core.salience.gradients import gradients

PROMPT, RESPONSE = "The soup has cheese in it.\nSo a vegan", " would not"


def relative(got, expected):
    """The largest difference, as a part of the largest expected value."""
    return float(np.abs(got - expected).max() / np.abs(expected).max())


def test_finite_differences_in_float64(load_tiny):
    """Central differences of the loss along random directions, GPT-2 in float64: relative error <= 1e-6."""
    model = load_tiny("gpt2", dtype="float64")
    net = model.model
    tokens = model.tokenize(PROMPT, RESPONSE)
    request = request_for(model, tokens, "grad_l2", targets=((tokens.prompt_len, len(tokens)),))
    ((_, gradient, embeddings),) = gradients(model, request)
    ids = torch.tensor(tokens.ids)

    def loss(moved: torch.Tensor) -> float:
        with torch.no_grad():
            logits = net(inputs_embeds=moved[None], use_cache=False).logits[0]
            nats = torch.log_softmax(logits, -1)[torch.arange(tokens.prompt_len - 1, len(ids) - 1)]
        return -float(nats.gather(1, ids[tokens.prompt_len :, None]).sum())

    base = embeddings.detach()
    generator = torch.Generator().manual_seed(3)
    step = 1e-5
    for _ in range(10):
        direction = torch.randn(base.shape, generator=generator, dtype=torch.float64)
        measured = (loss(base + step * direction) - loss(base - step * direction)) / (2 * step)
        expected = float((gradient * direction).sum())
        assert abs(measured - expected) <= 1e-6 * abs(expected)


@pytest.mark.parametrize("family", ["gpt2", "gemma2", "llama"])
def test_captum_gradient_times_activation(load_tiny, family):
    """captum differentiates log p, whose gradient is minus the loss's: the same sign as grad . input."""
    from captum.attr import LayerGradientXActivation

    model = load_tiny(family)
    tokens = model.tokenize(PROMPT, RESPONSE)
    matrix = method("grad_dot_input").run(model, request_for(model, tokens, "grad_dot_input"))
    net = model.model

    def logprob(ids: torch.Tensor) -> torch.Tensor:
        return torch.log_softmax(net(input_ids=ids, use_cache=False).logits[:, -1], -1)

    net.requires_grad_(True)  # captum's layer methods need a graph from the weights on
    try:
        for row, (start, _) in enumerate(matrix.request.targets):
            ids = torch.tensor(tokens.ids[:start])[None]
            found = LayerGradientXActivation(logprob, net.get_input_embeddings()).attribute(
                ids, target=int(tokens.ids[start])
            )
            assert relative(matrix.values[row, :start], found[0].sum(-1).detach().numpy()) <= 1e-4
    finally:
        net.requires_grad_(False)


def test_left_padding_changes_nothing_on_gpt2(load_tiny):
    """The same gradient from a left-padded pass with a mask and positions that count real tokens."""
    model = load_tiny("gpt2")
    tokens = model.tokenize(PROMPT, RESPONSE)
    matrix = method("grad_l2").run(model, request_for(model, tokens, "grad_l2"))
    pads = 5
    ids = torch.cat([torch.zeros(pads, dtype=torch.long), torch.tensor(tokens.ids)])[None]
    mask = (torch.arange(ids.shape[1]) >= pads).long()[None]
    embeddings = model.model.get_input_embeddings()(ids).detach().requires_grad_(True)
    logits = model.model(
        inputs_embeds=embeddings,
        attention_mask=mask,
        position_ids=(mask.cumsum(-1) - 1).clamp(min=0),
        use_cache=False,
    ).logits[0]
    for row, (start, _) in enumerate(matrix.request.targets):
        nats = torch.log_softmax(logits[pads + start - 1], -1)[ids[0, pads + start]]
        (gradient,) = torch.autograd.grad(-nats, embeddings, retain_graph=True)
        assert (gradient[0, :pads] == 0).all()
        assert relative(matrix.values[row], gradient[0, pads:].norm(dim=-1).numpy()) <= 1e-5


@pytest.mark.filterwarnings("ignore")  # inseq's own, at import
@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_inseq_saliency_of_the_log_probability(load_tiny, family):
    """inseq's `saliency` attributing the log-probability of each step, as L2 norms."""
    import inseq

    model = load_tiny(family)
    tokens = model.tokenize(PROMPT, RESPONSE)
    matrix = method("grad_l2").run(model, request_for(model, tokens, "grad_l2"))
    peer = inseq.load_model(model.model, "saliency", tokenizer=model.tokenizer, device="cpu")
    start = tokens.prompt_len
    try:
        out = peer.attribute(
            PROMPT,
            PROMPT + RESPONSE,
            attributed_fn="probability",
            logprob=True,
            attr_pos_start=start,
            step_scores=[],
            show_progress=False,
            pretty_progress=False,
        )
    finally:
        model.model.requires_grad_(False)
    found = out.sequence_attributions[0]
    assert [t.id for t in found.target] == tokens.ids.tolist()
    scores = found.target_attributions.norm(dim=-1)  # (T, R)
    for row, (at, _) in enumerate(matrix.request.targets):
        assert relative(matrix.values[row, :at], scores[:at, row].numpy()) <= 1e-4
