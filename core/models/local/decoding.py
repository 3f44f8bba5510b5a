"""The decoding loop: greedy or sampled, with a key-value cache, for one prompt or a left-padded batch.

One loop instead of transformers' `generate`, because three things have to be exact here: Stop works between
any two tokens, each token's log-probability is the model's own (before temperature and top-p), and a seed
draws the same answer without touching torch's global random state. Knows ids only; text is its caller's.

Nucleus sampling: Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration", section 3.1.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import DynamicCache

from core.errors import AppError
from core.records import GenerationParams, StopReason

_WORTH_DROPPING = 0.8
"""Rows that have ended leave the batch when at most this part of it goes on: each time copies the cache."""


@dataclass(slots=True)
class Drawn:
    """What was drawn for one prompt; the end-of-text id is not kept."""

    ids: list[int] = field(default_factory=list)
    logprob_nats: list[float] = field(default_factory=list)
    reason: StopReason | None = None


def choose(logits: torch.Tensor, params: GenerationParams, generator: torch.Generator | None) -> torch.Tensor:
    """The next id, from float32 `logits` (V,); shape ()."""
    if params.temperature == 0:
        return logits.argmax()
    probabilities = torch.softmax(logits / params.temperature, -1)
    if params.top_p < 1:
        ordered, order = probabilities.sort(descending=True)
        # A token stays while the mass before it is below top_p, so the first always stays.
        ordered[ordered.cumsum(-1) - ordered >= params.top_p] = 0
        probabilities = torch.zeros_like(probabilities).scatter_(0, order, ordered)
    return torch.multinomial(probabilities, 1, generator=generator)[0]


def not_a_number(where: str) -> AppError:
    """The sentence for a model whose numbers are none (NaN) at `where`: an answer from there on means nothing."""
    return AppError(
        f"What the model computed is not a number (NaN) at {where}.",
        hint="float16 overflows in some models: load it in float32 or bfloat16. If that does not help, its files are "
        "damaged.",
        code="not_finite",
    )


def finite(nats: NDArray[np.float32]) -> NDArray[np.float32]:
    """`nats` as they are. Raises: AppError when one is NaN (minus infinity is a probability of 0)."""
    wrong = np.flatnonzero(np.isnan(nats))
    if len(wrong):
        raise not_a_number(f"token {wrong[0] + 1} of the answer")
    return nats


def _ended(stop: threading.Event) -> bool:
    """Whether to stop. Who asks at this border may let other work pass, which may need gradients."""
    with torch.inference_mode(False):
        return stop.is_set()


@torch.inference_mode()
def agreed(
    model: Any, prompt: Sequence[int], draft: Sequence[int]
) -> tuple[list[tuple[int, float]], Any | None]:
    """What the model writes greedily as far as `draft` guessed it, and the token after that, from one pass.

    Returns (id, log p in nats) of each, and the cache of all but the last; None where it cannot be cut back.
    Source: Leviathan et al. 2023, "Fast Inference from Transformers via Speculative Decoding", section 2.3, with
    an earlier answer in the place of the smaller model.
    """
    device = model.get_input_embeddings().weight.device
    ids = torch.tensor([[*prompt, *draft]], device=device)
    places = torch.arange(len(prompt) - 1, ids.shape[1], device=device)
    cache = DynamicCache(config=model.config)
    cache.activate_past_recording()  # a sliding window keeps what it has moved past until it is cut back
    output = model(input_ids=ids, cache=cache, use_cache=True, logits_to_keep=places)
    sure: list[tuple[int, float]] = []
    for place, row in enumerate(output.logits[0]):
        wide = row.float()
        if bool(torch.isnan(wide).any()):
            raise not_a_number(f"token {place + 1} of its answer")
        best = int(wide.argmax())
        sure.append((best, float(torch.log_softmax(wide, -1)[best])))
        if place == len(draft) or best != draft[place]:
            break
    wrong = len(draft) - (len(sure) - 1)
    try:
        cache.crop(-wrong)
    except (AttributeError, RuntimeError, ValueError, NotImplementedError):
        return sure, None
    for layer in cache.layers:
        if hasattr(layer, "record_past"):
            layer.record_past = False
    return sure, cache


@torch.inference_mode()
def draw(
    model: Any,
    prompts: Sequence[Sequence[int]],
    params: GenerationParams,
    *,
    end_ids: frozenset[int],
    pad_id: int = 0,
    limit: int = 0,
    accept: Callable[[int, Drawn], StopReason | None] | None = None,
    stop: threading.Event | None = None,
    draft: Sequence[int] = (),
) -> list[Drawn]:
    """Continues every prompt until an end id, `params.max_new_tokens`, `limit` tokens in all, or `stop`.

    `model` is a causal model of transformers; `accept(row, drawn)` is called after every token of a row and
    may end it. Rows draw from generators of their own, each seeded alike, so a batch changes no answer.
    `draft` is a guess of the answer to a single prompt: greedily, what is right of its beginning costs one pass.
    Raises: AppError when the model's numbers are none (NaN).
    """
    device = model.get_input_embeddings().weight.device
    longest = max(len(prompt) for prompt in prompts)
    padded = any(len(prompt) != longest for prompt in prompts)
    ids = torch.full((len(prompts), longest), pad_id, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, longest - len(prompt) :] = torch.as_tensor(prompt)
        mask[row, longest - len(prompt) :] = 1
    ids, mask = ids.to(device), mask.to(device)
    drawn = [Drawn() for _ in prompts]
    generators = [
        torch.Generator(device).manual_seed(params.seed) if params.temperature else None for _ in prompts
    ]
    cache = None
    live = list(range(len(prompts)))  # which prompt each row of the batch continues

    def take(row: int, token: int, nat: float) -> None:
        state = drawn[row]
        if token in end_ids:
            state.reason = "eos"
            return
        state.ids.append(token)
        state.logprob_nats.append(nat)
        if accept is not None:
            state.reason = accept(row, state)
        if state.reason is None and limit and len(prompts[row]) + len(state.ids) >= limit:
            state.reason = "length"

    room = min(params.max_new_tokens, limit - longest if limit else params.max_new_tokens) - 1
    guess = list(draft)[: max(room, 0)] if len(prompts) == 1 and params.temperature == 0 else []
    if guess:
        sure, cache = agreed(model, prompts[0], guess)
        for token, nat in sure:
            if drawn[0].reason is None:
                take(0, token, nat)
        fed = drawn[0].ids[-1:] if cache is not None else [*prompts[0], *drawn[0].ids]
        ids = torch.tensor([fed], device=device)
    for _ in range(params.max_new_tokens - len(drawn[0].ids) if guess else params.max_new_tokens):
        if drawn[0].reason is not None and guess:
            break
        if stop is not None and _ended(stop):
            break
        extra: dict[str, torch.Tensor] = {}
        if padded:
            # Learned positions (GPT-2) count from the first real token.
            positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :]
            extra = {"attention_mask": mask, "position_ids": positions}
        # The wanted position as a tensor: cut by an integer, torch copies frozen bf16 vocabulary matrices whole.
        last = torch.tensor([ids.shape[1] - 1], device=device)
        output = model(input_ids=ids, cache=cache, use_cache=True, logits_to_keep=last, **extra)
        cache = output.cache
        logits = output.logits[:, -1].float().to(device)
        if bool(torch.isnan(logits).any()):
            raise not_a_number(f"token {max(len(state.ids) for state in drawn) + 1} of its answer")
        new = torch.stack([choose(row, params, generators[at]) for at, row in zip(live, logits)])
        nats = torch.log_softmax(logits, -1).gather(1, new[:, None])[:, 0]
        for row, token, nat in zip(live, new.tolist(), nats.tolist()):
            if drawn[row].reason is None:
                take(row, token, nat)
        keep = [place for place, row in enumerate(live) if drawn[row].reason is None]
        if not keep:
            break
        ids = new[:, None]
        if padded:
            mask = torch.cat([mask, torch.ones_like(mask[:, :1])], 1)
        if len(keep) <= _WORTH_DROPPING * len(live) and hasattr(cache, "batch_select_indices"):
            # Answers of a batch end at different lengths; those that have ended would cost as before.
            chosen = torch.tensor(keep, device=device)
            cache.batch_select_indices(chosen)
            ids, mask, live = ids[chosen], mask[chosen], [live[place] for place in keep]
    stopped = stop is not None and _ended(stop)
    for state in drawn:
        state.reason = state.reason or ("stopped" if stopped else "length")
    return drawn
