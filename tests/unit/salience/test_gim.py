"""GIM's rules against closed forms, a second derivation of the same backward pass, and linearity."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from core.aggregate import select
from core.errors import AppError
from core.models.language_model import Backward, Capabilities
from core.models.local import gim_rules
from core.records import ModelSpec, SalienceRequest, Tokens
from core.salience import method, request_for, span
from core.salience.memory import Plan

FAMILIES = ["gemma2", "gemma3_text", "gpt2", "gpt_neox", "llama", "mistral", "qwen2", "qwen3"]
PROMPT, RESPONSE = "The soup has cheese in it.\nSo a vegan", " would not"


def freely(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


# -- each rule alone, worked out by hand ---------------------------------------------------------------------


def test_softmax_at_twice_the_temperature() -> None:
    scores = torch.tensor([[0.0, 2 * np.log(3.0)]], dtype=torch.float64, requires_grad=True)
    weights = gim_rules._Softmax.apply(scores)
    np.testing.assert_allclose(weights.detach(), [[0.1, 0.9]])
    (found,) = torch.autograd.grad(weights, scores, torch.tensor([[1.0, 0.0]], dtype=torch.float64))
    # softmax(Z / 2) = (1/4, 3/4): 1/4 (1 − 1/4) and 3/4 (0 − 1/4)
    np.testing.assert_allclose(found, [[3 / 16, -3 / 16]])


@pytest.mark.parametrize("kind", ["LlamaRMSNorm", "Gemma2RMSNorm", "LayerNorm"])
def test_a_norm_divides_by_a_constant(kind: str) -> None:
    if kind == "LayerNorm":
        norm = torch.nn.LayerNorm(4, eps=0.0).double()
    else:
        module = __import__(
            "transformers.models." + ("llama" if "Llama" in kind else "gemma2"), fromlist=["x"]
        )
        norm = getattr(getattr(module, "modeling_" + ("llama" if "Llama" in kind else "gemma2")), kind)(
            4, 0.0
        )
        norm = norm.double()
    norm.weight.data = torch.tensor([1.0, 2.0, -1.0, 0.5], dtype=torch.float64)
    more = 1.0 if "Gemma" in kind else 0.0
    x = torch.tensor([[1.0, -1.0, 3.0, 5.0]], dtype=torch.float64, requires_grad=True)
    out = gim_rules._frozen_norm(norm, norm.forward, more, x)
    np.testing.assert_allclose(out.detach(), norm(x).detach(), rtol=1e-6)
    grad = torch.tensor([[1.0, 0.0, 2.0, -1.0]], dtype=torch.float64)
    (found,) = torch.autograd.grad(out, x, grad)
    weight = np.array([1.0, 2.0, -1.0, 0.5]) + more
    if kind == "LayerNorm":
        inner = grad.numpy() * weight / np.sqrt(5.0)  # mean 2, variance (1 + 9 + 1 + 9) / 4
        expected = inner - inner.mean()
    else:
        expected = grad.numpy() * weight / 3.0  # mean square (1 + 1 + 9 + 25) / 4
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_attention_of_one_head_by_hand() -> None:
    """Two keys, one query: o = A v, all derivatives written down."""
    q, k, v = freely(1, 1, 1, 3), freely(1, 1, 2, 3, seed=1), freely(1, 1, 2, 3, seed=2)
    leaves = [t.clone().requires_grad_(True) for t in (q, k, v)]
    out, weights = gim_rules.attention(SimpleNamespace(), *leaves, None, scaling=0.5)
    grad = freely(1, 1, 1, 3, seed=3)
    found = torch.autograd.grad(out, leaves, grad)
    z = 0.5 * (k[0, 0] @ q[0, 0, 0])
    a, soft = torch.softmax(z, 0), torch.softmax(z / 2, 0)
    np.testing.assert_allclose(weights[0, 0, 0].detach(), a)
    g = v[0, 0] @ grad[0, 0, 0]
    dz = soft * (g - (g * soft).sum())
    np.testing.assert_allclose(found[0][0, 0, 0], 0.25 * 0.5 * (dz @ k[0, 0]))
    np.testing.assert_allclose(found[1][0, 0], 0.25 * 0.5 * torch.outer(dz, q[0, 0, 0]))
    np.testing.assert_allclose(found[2][0, 0], 0.5 * torch.outer(a, grad[0, 0, 0]))


def test_a_gated_layer_by_hand(load_tiny) -> None:
    net = load_tiny("llama").model
    mlp = net.model.layers[0].mlp
    x = torch.randn(1, 1, net.config.hidden_size, generator=torch.Generator().manual_seed(0))
    x.requires_grad_(True)
    with gim_rules.gim_backward(net):
        out = mlp(x)
    (plain,) = torch.autograd.grad(mlp(x).sum(), x)
    (found,) = torch.autograd.grad(out.sum(), x)
    np.testing.assert_allclose(found, plain / 2, rtol=1e-5, atol=1e-7)  # both factors hold x: half of each


# -- whole models: the same backward pass derived a second way -------------------------------------------------


def surrogate_attention(_module, query, key, value, attention_mask, scaling=None, softcap=None, **_given):
    """Plain autograd through ½ A₀ v + ½ softmax(Z / 2) v₀ (₀: held constant) is GIM's rule for attention.

    d(½ softmax(Z / 2)) = ¼ Â (…) gives the queries' and keys' quarter with the temperature's own factor ½.
    """
    groups = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    z = query @ key.transpose(-1, -2) * scaling
    z = z if softcap is None else torch.tanh(z / softcap) * softcap
    z = z if attention_mask is None else z + attention_mask
    a = torch.softmax(z, -1)
    moves = 0.5 * (a.detach() @ value) + 0.5 * (torch.softmax(z / 2, -1) @ value.detach())
    return ((a @ value).detach() + moves - moves.detach()).transpose(1, 2).contiguous(), a


def surrogate_norm(norm, more, x):
    inner = x - x.mean(-1, keepdim=True) if isinstance(norm, torch.nn.LayerNorm) else x
    eps = getattr(norm, "variance_epsilon", getattr(norm, "eps", None))
    held = (inner.square().mean(-1, keepdim=True) + eps).sqrt().detach()
    return inner / held * (norm.weight + more) + (
        getattr(norm, "bias", None) if norm.__class__ is torch.nn.LayerNorm else 0
    )


def surrogate_gradient(net, ids, rows, log_odds=False):
    """d (sum of the rows' losses) / d embeddings by plain autograd in float64 through the surrogates."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface, eager_mask

    AttentionInterface.register("surrogate", surrogate_attention)
    AttentionMaskInterface.register("surrogate", eager_mask)
    family = net.config.model_type
    plain, undo = net.config._attn_implementation, []
    try:
        net.config._attn_implementation = "surrogate"
        for module in net.modules():
            if gim_rules.is_norm(module):
                more = 1.0 if family.startswith("gemma") else 0.0
                module.forward = lambda x, m=module, more=more: surrogate_norm(m, more, x)
                undo.append(module)
            elif hasattr(module, "down_proj"):

                def halved(x, m=module):
                    product = m.act_fn(m.gate_proj(x)) * m.up_proj(x)
                    return m.down_proj(product.detach() + 0.5 * (product - product.detach()))

                module.forward = halved
                undo.append(module)
        embeddings = net.get_input_embeddings()(torch.tensor(ids)[None]).detach().requires_grad_(True)
        logits = net(inputs_embeds=embeddings, use_cache=False).logits[0].double()
        total = 0
        for row in rows:
            z, own = logits[row - 1], int(ids[row])
            if log_odds:
                total = total - (z[own] - torch.cat([z[:own], z[own + 1 :]]).logsumexp(0))
            else:
                total = total - torch.log_softmax(z, -1)[own]
        (gradient,) = torch.autograd.grad(total, embeddings)
        return gradient[0], embeddings.detach()[0]
    finally:
        net.config._attn_implementation = plain
        for module in undo:
            del module.forward


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_equals_the_second_derivation(load_tiny, family: str) -> None:
    import copy

    model = load_tiny(family)
    tokens = model.tokenize(PROMPT, RESPONSE)
    assert model.capabilities.gim
    matrix = method("gim").run(model, request_for(model, tokens, "gim"))
    net = copy.deepcopy(model.model).double()
    for row, (start, end) in enumerate(matrix.request.targets):
        gradient, embeddings = surrogate_gradient(net, tokens.ids, range(start, end))
        expected = -(gradient * embeddings).sum(-1).numpy()
        assert np.abs(matrix.values[row] - expected).max() <= 5e-5 * np.abs(expected).max()
        assert (matrix.values[row, end - 1 :] == 0).all()


def test_gpt2_in_float64_equals_the_second_derivation(load_tiny) -> None:
    import copy

    model = load_tiny("gpt2")
    tokens = model.tokenize(PROMPT, RESPONSE)
    net = copy.deepcopy(model.model).double()
    from core.models.local.causal_tape import tape

    positions = np.arange(tokens.prompt_len, len(tokens))
    for log_odds in (False, True):
        with tape(net, tokens.ids, positions, backward=Backward(gim=True, log_odds=log_odds)) as held:
            (found,) = torch.autograd.grad(held.outputs, held.embeddings, held.seeds)
        expected, _ = surrogate_gradient(net, tokens.ids[: positions[-1] + 1], positions, log_odds)
        np.testing.assert_allclose(found[0], expected[: positions[-1]], rtol=1e-9, atol=1e-12)


def test_the_forward_pass_is_unchanged_and_nothing_stays_behind(load_tiny) -> None:
    for family in FAMILIES:
        net = load_tiny(family).model
        ids = torch.tensor(load_tiny(family).tokenize(PROMPT).ids)[None]
        plain = net.config._attn_implementation
        replaced = [
            module for module in net.modules() if "forward" in vars(module)
        ]  # by another test's watching
        with torch.no_grad():
            before = net(input_ids=ids, use_cache=False).logits
            with gim_rules.gim_backward(net):
                inside = net(input_ids=ids, use_cache=False).logits
            after = net(input_ids=ids, use_cache=False).logits
        torch.testing.assert_close(inside, before, rtol=1e-4, atol=1e-4)
        assert torch.equal(after, before) and net.config._attn_implementation == plain
        assert [module for module in net.modules() if "forward" in vars(module)] == replaced


# -- rows ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["gemma2", "gpt2", "qwen3"])
def test_rows_add_to_a_fresh_backward_of_the_sum(load_tiny, family: str) -> None:
    model = load_tiny(family)
    tokens = model.tokenize(PROMPT, RESPONSE + " like it")
    matrix = method("gim").run(model, request_for(model, tokens, "gim"))
    whole = (tokens.prompt_len, len(tokens))
    fresh = span(model, tokens, "gim", whole)
    added = select(matrix, np.ones(len(matrix.values), np.float32))
    assert np.abs(added - fresh).max() <= 1e-5 * np.abs(fresh).max()
    weights = np.linspace(-1, 2, len(matrix.values)).astype(np.float32)
    with model.tape(tokens.ids, np.arange(*whole), backward=Backward(gim=True)) as held:
        seeds = torch.tensor(weights)[:, None] * held.seeds
        (found,) = torch.autograd.grad(held.outputs, held.embeddings, seeds)
        expected = -(found[0] * held.embeddings[0]).sum(-1).detach().numpy()
    weighed = select(matrix, weights)[: len(expected)]
    assert np.abs(weighed - expected).max() <= 1e-5 * np.abs(expected).max()


def test_layers_computed_anew_give_the_same_rows(load_tiny) -> None:
    from core.salience.gradients import gradients

    model = load_tiny("gemma2")
    tokens = model.tokenize(PROMPT, RESPONSE)
    request = request_for(model, tokens, "gim")
    plain = [g for _, g, _ in gradients(model, request)]
    anew = [g for _, g, _ in gradients(model, request, plan=Plan(rows_a_pass=1, checkpoint=True))]
    for a, b in zip(plain, anew):
        torch.testing.assert_close(b, a[: len(b)], rtol=1e-4, atol=1e-6)


def test_other_work_between_two_rows_gets_plain_gradients(load_tiny) -> None:
    model = load_tiny("llama")
    tokens = model.tokenize(PROMPT, RESPONSE)
    alone = span(model, tokens, "grad_l2", (tokens.prompt_len, len(tokens)))
    between: list[np.ndarray] = []
    method("gim").run(
        model,
        request_for(model, tokens, "gim"),
        on_row=lambda *_: between.append(span(model, tokens, "grad_l2", (tokens.prompt_len, len(tokens)))),
    )
    assert between and all(np.array_equal(one, alone) for one in between)


@pytest.mark.parametrize(
    ("dtype", "quantization", "most"),
    [("bfloat16", "none", 0.1), ("float32", "nf4", 1e-4), ("float32", "int8", 0.1)],
)
def test_other_precisions(load_tiny, dtype: str, quantization: str, most: float) -> None:
    from .oracles import dense

    model = load_tiny("llama", dtype=dtype, quantization=quantization)
    tokens: Tokens = model.tokenize(PROMPT, RESPONSE)
    matrix = method("gim").run(model, request_for(model, tokens, "gim"))
    net = dense(model).double()
    start, end = matrix.request.targets[-1]
    gradient, embeddings = surrogate_gradient(net, tokens.ids, range(start, end))
    expected = -(gradient * embeddings).sum(-1).numpy()
    assert np.abs(matrix.values[-1] - expected).max() <= most * np.abs(expected).max()


# -- sure tokens, unknown families -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["grad_l2", "grad_dot_input", "gim"])
def test_log_odds_of_one_target_only_rescale(load_tiny, name: str) -> None:
    """d log(p / (1 − p)) = d log p / (1 − p)."""
    model = load_tiny("llama")
    tokens = model.tokenize(PROMPT, RESPONSE)
    place = (tokens.prompt_len, tokens.prompt_len + 1)
    p = float(np.exp(model.logprobs(tokens)[0]))
    plain = span(model, tokens, name, place)
    odds = span(model, tokens, name, place, options=(("seed", "log_odds"),))
    np.testing.assert_allclose(odds, plain / (1 - p), rtol=2e-3, atol=1e-6)


def test_sure_tokens_do_not_vanish(load_tiny) -> None:
    from core.models.objective import objective

    logits = torch.tensor([[40.0, 0.0, 0.0]], requires_grad=True)
    value, nats = objective(logits, torch.tensor([0]), Backward(log_odds=True))
    assert nats.item() == 0.0 and value.item() == pytest.approx(40 - np.log(2))
    (found,) = torch.autograd.grad(value.sum(), logits)
    np.testing.assert_allclose(found, [[1.0, -0.5, -0.5]])


def test_an_unknown_family_says_so(load_tiny) -> None:
    from transformers import OPTConfig, OPTForCausalLM

    from core.models.local.hugging_face import HuggingFaceModel

    known = load_tiny("llama")
    config = OPTConfig(
        vocab_size=known.model.config.vocab_size, hidden_size=32, ffn_dim=64, num_hidden_layers=1,
        num_attention_heads=4, max_position_embeddings=64, word_embed_proj_dim=32,
    )  # fmt: skip
    model = HuggingFaceModel(OPTForCausalLM(config), known.tokenizer, known.spec)
    assert not model.capabilities.gim and not method("gim").available(model.capabilities)
    tokens = known.tokenize(PROMPT, RESPONSE)
    request = request_for(model, tokens, "gim")
    matrix = method("gim").run(model, request)
    assert "its family, opt, is not one of those" in matrix.note and "Grad L2 of the log-odds" in matrix.note
    assert matrix.request == request and not matrix.signed and matrix.gram is not None
    options = (("seed", "log_odds"),)
    plain = method("grad_l2").run(model, request_for(model, tokens, "grad_l2", options=options))
    np.testing.assert_array_equal(matrix.values, plain.values)


def test_a_model_without_gradients_cannot_be_mapped() -> None:
    blind = SimpleNamespace(
        capabilities=Capabilities(gradients=False, salience=False), spec=ModelSpec("blind", "nowhere")
    )
    request = SalienceRequest(blind.spec, (1, 2, 3), 2, "gim", ((2, 3),))
    with pytest.raises(AppError, match="GIM cannot explain blind: it gives no gradients"):
        method("gim").run(blind, request)
