"""One forward pass and N backward passes: the gradient of every target's loss at the embeddings.

What a method makes of a gradient is its own file. Loss of a target: the sum over its tokens of −log p, in
nats; rows are gradients of one loss each, so they add (`core.aggregate`). Exactly 0 from a target's last
token on, because a causal model reads nothing behind what it predicts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
import torch

from core.errors import Stopped
from core.models.base import GradientModel, Tape
from core.records import SalienceRequest

Embed = Callable[[torch.Tensor], torch.Tensor]


def gradients(
    model: GradientModel,
    request: SalienceRequest,
    *,
    stop: threading.Event | None = None,
    embed: Embed | None = None,
) -> Iterator[tuple[int, torch.Tensor, torch.Tensor]]:
    """For each target in turn: its row n, d loss / d e (T', D) and e itself (T', D), in the model's dtype.

    T' counts the tokens before the last explained one of all targets.
    """
    positions = np.unique(np.concatenate([np.arange(a, b) for a, b in request.targets]))
    ids = np.array(request.ids, np.int64)
    with model.tape(ids, positions, embed=embed) as tape:
        for row, (start, stop_at) in enumerate(request.targets):
            if stop is not None and stop.is_set():
                raise Stopped()
            chosen = torch.as_tensor((positions >= start) & (positions < stop_at))
            last = row == len(request.targets) - 1
            yield row, backward(tape, chosen, keep=not last), tape.embeddings[0]


def backward(tape: Tape, chosen: torch.Tensor, *, keep: bool) -> torch.Tensor:
    """d (sum of the chosen positions' losses) / d embeddings, (T', D); `chosen` (M,) flags or weights."""
    seed = tape.seeds * chosen.to(tape.seeds)[:, None]
    (gradient,) = torch.autograd.grad(tape.outputs, tape.embeddings, seed, retain_graph=keep)
    return gradient[0]
