"""GIM's backward pass for causal models of transformers: the forward pass stays, four derivatives change.

Attention and gated layers hide a part's influence from a plain gradient: a softmax that is sure has next to
no slope, and factors of a product count the same influence twice. Hence, in the backward pass alone,

1. norms: the statistic that divides (root mean square, standard deviation) is a constant;
2. softmax A = softmax(Z): dZ = Â ∘ (G − rowsum(G ∘ Â)) with Â = softmax(Z / 2), without a factor ½;
3. attention: gradients of query and key × ¼ (after rotation), of value × ½;
4. gated layers act(g) · u: gradients of both factors × ½.

Each rule is linear in the gradient that comes in, so targets still add. Knows modules, no method.
Source: Edin et al. 2025, "GIM: Improved Interpretability for Large Language Models", arXiv 2505.17630, sections
3.1 to 3.3; rule 4 is their rule for products applied to gated layers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface, eager_mask

FAMILIES = ("gemma2", "gemma3", "gemma3_text", "gpt2", "gpt_neox", "llama", "mistral", "qwen2", "qwen3")
"""Model types whose norms, attention and gated layers these rules are known to fit; tests hold each."""
ADDS_ONE = ("gemma2", "gemma3", "gemma3_text")
"""Families whose norms multiply by 1 + weight."""
ATTENTION = "whence_gim"
TEMPERATURE = 2.0
QUERY, KEY, VALUE, PRODUCT = 0.25, 0.25, 0.5, 0.5


def knows(net: Any) -> bool:
    """Whether the rules fit every part of `net`."""
    return net.config.get_text_config().model_type in FAMILIES


def why_not(net: Any) -> str:
    """What to tell the person about a model that they are not known to fit."""
    return (
        f"its family, {net.config.get_text_config().model_type}, is not one of those that GIM's rules are "
        f"known to fit ({', '.join(FAMILIES)})"
    )


@contextmanager
def gim_backward(net: Any, root: Any = None, apart: Sequence[Any] = ()) -> Iterator[None]:
    """While it is open, `net` (of a family in `FAMILIES`) computes as ever and differentiates by the rules.

    What is computed while it is open keeps the rules for its backward pass later. `root` narrows it to one
    layer's modules; `apart` are layers that see to themselves.
    """
    more = 1.0 if net.config.get_text_config().model_type in ADDS_ONE else 0.0
    elsewhere = {id(module) for layer in apart for module in layer.modules()}
    plain = net.config._attn_implementation
    with ExitStack() as stack:
        for module in (net if root is None else root).modules():
            if id(module) in elsewhere:
                continue
            if is_norm(module):
                module.forward = partial(_frozen_norm, module, module.forward, more)
                stack.callback(delattr, module, "forward")
            elif isinstance(getattr(module, "down_proj", None), torch.nn.Module):
                stack.callback(module.down_proj.register_forward_pre_hook(_half_product).remove)
        stack.callback(setattr, net.config, "_attn_implementation", plain)
        net.config._attn_implementation = ATTENTION
        yield


def is_norm(module: Any) -> bool:
    return isinstance(module, torch.nn.LayerNorm) or type(module).__name__.endswith("RMSNorm")


def _frozen_norm(module: Any, forward: Callable[..., Any], more: float, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        out = forward(x)
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        centred = isinstance(module, torch.nn.LayerNorm)
        inner = wide - wide.mean(-1, keepdim=True) if centred else wide
        eps: float = module.variance_epsilon if hasattr(module, "variance_epsilon") else module.eps
        factor = torch.rsqrt(inner.square().mean(-1, keepdim=True) + eps)
        factor = factor * (more + module.weight.to(factor.dtype))
    return _Norm.apply(x, out, factor, centred)


def _half_product(_module: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """What enters the last matrix is the product: half of its gradient is half of each factor's."""
    return (_Scaled.apply(args[0], PRODUCT), *args[1:])


def attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    softcap: float | None = None,
    **_given: Any,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attention written out; heads (1, H, T, D) in, (1, T, H, D) and the weights out, as transformers asks."""
    groups = query.shape[1] // key.shape[1]
    query, key, value = _Scaled.apply(query, QUERY), _Scaled.apply(key, KEY), _Scaled.apply(value, VALUE)
    if groups > 1:
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    scores = query @ key.transpose(-1, -2) * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    if attention_mask is not None:
        scores = scores + attention_mask
    weights = _Softmax.apply(scores)
    return (weights @ value).transpose(1, 2).contiguous(), weights


class _Scaled(torch.autograd.Function):
    """The same forward, a multiple of the gradient backward."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, factor: float) -> torch.Tensor:
        ctx.factor = factor
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:
        return grad * ctx.factor, None


class _Norm(torch.autograd.Function):
    """`out` forward; backward as if it were `factor` · x (x less its mean where `centred`)."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, out: torch.Tensor, factor: torch.Tensor, centred: bool
    ) -> torch.Tensor:
        ctx.save_for_backward(factor)
        ctx.centred, ctx.dtype = centred, x.dtype
        return out.view_as(out)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:
        (factor,) = ctx.saved_tensors
        inner = grad.to(factor.dtype) * factor
        if ctx.centred:
            inner = inner - inner.mean(-1, keepdim=True)
        return inner.to(ctx.dtype), None, None, None


class _Softmax(torch.autograd.Function):
    """Softmax in float32 at least, its gradient at `TEMPERATURE`."""

    @staticmethod
    def forward(ctx: Any, scores: torch.Tensor) -> torch.Tensor:
        wide = torch.softmax(scores, -1, dtype=torch.promote_types(scores.dtype, torch.float32))
        out = wide.to(scores.dtype)
        ctx.save_for_backward(wide)
        ctx.dtype = scores.dtype
        return out

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:
        (wide,) = ctx.saved_tensors
        # softmax(Z / T) from softmax(Z): powers 1 / T, normalised again.
        soft = wide ** (1 / TEMPERATURE)
        soft = soft / soft.sum(-1, keepdim=True)
        inner = grad.to(soft.dtype)
        return (soft * (inner - (inner * soft).sum(-1, keepdim=True))).to(ctx.dtype)


AttentionInterface.register(ATTENTION, attention)
AttentionMaskInterface.register(ATTENTION, eager_mask)
