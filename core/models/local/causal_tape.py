"""One forward pass of a causal model of transformers, ready for backward passes to the embeddings.

What is the same for all targets is done once, forward and backward: the head, and in the families named below
also the last layer from its attention on, because there every position is treated alone. The backward passes
of the targets start beneath it. Knows modules and graphs, no method.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.checkpoint import checkpoint as checkpointed
from transformers.modeling_layers import GradientCheckpointingLayer

from core.models.language_model import PLAIN, Backward, Tape
from core.models.local.gim_rules import gim_backward
from core.models.local.products import short_attention
from core.models.objective import objective

Caught = dict[str, torch.Tensor]
ATTENTION_OUTPUT = {
    "gemma2": "self_attn.o_proj",
    "gemma3_text": "self_attn.o_proj",
    "gpt2": "attn.c_proj",
    "gpt_neox": "attention.dense",
    "llama": "self_attn.o_proj",
    "mistral": "self_attn.o_proj",
    "qwen2": "self_attn.o_proj",
    "qwen3": "self_attn.o_proj",
}
"""Where a layer's attention ends, by model type; each is held equal to plain autograd in the tests."""


@contextmanager
def tape(
    net: Any,
    ids: NDArray[np.int64],
    positions: NDArray[np.int64],
    *,
    embed: Callable[[Any], Any] | None = None,
    checkpoint: bool = False,
    backward: Backward = PLAIN,
) -> Iterator[Tape]:
    """See `GradientModel.tape`. Whatever the model does after its head (Gemma 2's soft cap) is in `seeds`."""
    device = net.get_input_embeddings().weight.device
    targets = torch.tensor(positions, device=device)
    all_ids = torch.tensor(ids, device=device)
    caught: Caught = {}

    def on_embedding(_module: Any, _args: Any, output: torch.Tensor) -> torch.Tensor:
        caught["embeddings"] = (output if embed is None else embed(output)).detach().requires_grad_(True)
        return caught["embeddings"]

    with ExitStack() as stack, torch.enable_grad():
        handle = net.get_input_embeddings().register_forward_hook(on_embedding)
        stack.callback(handle.remove)
        # A layer that runs again in each backward pass cannot be cut: the second run would lack the hooks.
        cut = None if checkpoint else attention_output(net)
        # Open for the forward pass alone: between two rows the same model may work for somebody else.
        if not checkpoint:  # a layer that runs again runs as it is then
            stack.enter_context(short_attention(net, len(ids)))
        if backward.gim:
            stack.enter_context(gim_backward(net, apart=layers_of(net) if checkpoint else ()))
        if checkpoint:
            stack.enter_context(recomputed(net, backward))
        watch = partial(cut_at_head, net) if cut is None else partial(cut_in_last_layer, *cut)
        stack.enter_context(watch(caught))
        logits = net(
            input_ids=all_ids[None, : int(positions[-1])], use_cache=False, logits_to_keep=targets - 1
        ).logits[0]
        wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
        value, nats = objective(wide, all_ids[targets].to(wide.device), backward)
        loss = -value
        rows = targets - 1
        if cut is None:
            (seeds,) = torch.autograd.grad(loss.sum(), caught["leaf"])
            outputs, seeds = caught["hidden"][0], seeds[0]
        else:
            # The inputs of what is left out, side by side: the residual stream and what attention gathered.
            stream, gathered = caught["stream"], caught["gathered"]
            parts = torch.autograd.grad(loss.sum(), [stream, caught["leaf"]])
            place = gathered.device
            outputs = torch.cat([part[0, rows.to(part.device)].to(place) for part in (stream, gathered)], -1)
            seeds = torch.cat([part[0, rows.to(part.device)].to(place) for part in parts], -1)
    yield Tape(
        caught["embeddings"], outputs, seeds, nats.float().cpu().numpy(), value.detach().float().cpu().numpy()
    )


def layers_of(net: Any) -> list[Any]:
    return [module for module in net.modules() if isinstance(module, GradientCheckpointingLayer)]


def attention_output(net: Any) -> tuple[Any, Any] | None:
    """The last layer and the module that its attention's result passes first; None for other families."""
    layers = layers_of(net)
    name = ATTENTION_OUTPUT.get(net.config.model_type)
    if name is None or not layers:
        return None
    return layers[-1], layers[-1].get_submodule(name)


@contextmanager
def cut_at_head(net: Any, caught: Caught) -> Iterator[None]:
    """Feeds the head a detached copy ("leaf") of the final hidden state ("hidden", (1, M, D))."""

    def on_head(_module: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        caught["hidden"] = args[0]
        caught["leaf"] = args[0].detach().requires_grad_(True)
        return (caught["leaf"], *args[1:])

    handle = net.get_output_embeddings().register_forward_pre_hook(on_head)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def cut_in_last_layer(layer: Any, projection: Any, caught: Caught) -> Iterator[None]:
    """Catches the last layer's input ("stream", (1, T', D)) and cuts behind its attention.

    The projection is fed a detached copy ("leaf") of what attention gathered ("gathered", (1, T', D')), so
    the gradients at stream and leaf are each position's own.
    """

    def on_layer(_module: Any, args: tuple[Any, ...]) -> None:
        caught["stream"] = args[0]

    def on_projection(_module: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        caught["gathered"] = args[0]
        caught["leaf"] = args[0].detach().requires_grad_(True)
        return (caught["leaf"], *args[1:])

    handles = [layer.register_forward_pre_hook(on_layer), projection.register_forward_pre_hook(on_projection)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def recomputed(net: Any, backward: Backward) -> Iterator[None]:
    """While it is open, layers keep only their inputs for the backward passes and run again in each of them.

    transformers' own switch works in training mode only; this one works with frozen weights in eval mode.
    """
    layers = layers_of(net)
    for layer in layers:
        forward = partial(_by_rules, net, layer, layer.forward) if backward.gim else layer.forward
        layer.forward = partial(checkpointed, forward, use_reentrant=False, preserve_rng_state=False)
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward


def _by_rules(net: Any, layer: Any, forward: Callable[..., Any], *args: Any, **named: Any) -> Any:
    with gim_backward(net, layer):
        return forward(*args, **named)
