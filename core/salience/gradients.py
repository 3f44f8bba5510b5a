"""One forward pass and N backward passes: the gradient of every target's loss at the embeddings.

What a method makes of a gradient is its own file; what fits the memory is `memory.py`. Loss of a target: the
sum over its tokens of −log p, in nats (with the option `seed`, of minus the log-odds); rows are gradients of
one loss each, so they add (`core.aggregate`). Exactly 0 from a target's last token on, because a causal model
reads nothing behind what it predicts.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import torch

from core.errors import Stopped
from core.models.language_model import PLAIN, Backward, GradientModel, Tape
from core.records import SalienceRequest
from core.salience.memory import Plan, out_of_memory

Embed = Callable[[torch.Tensor], torch.Tensor]
Row = tuple[int, torch.Tensor, torch.Tensor]


def gradients(
    model: GradientModel,
    request: SalienceRequest,
    *,
    stop: threading.Event | None = None,
    how: Backward = PLAIN,
    embed: Embed | None = None,
    plan: Plan | None = None,
) -> Iterator[Row]:
    """For each target in turn: its row n, d loss / d e (T', D) and e itself (T', D), in the model's dtype.

    T' counts the tokens before the last explained one that shares the forward pass: what comes after it is
    never computed. `how` is the method's `Method.backward`. Raises: Stopped.
    """
    plan = plan or Plan()
    ids = np.array(request.ids, np.int64)
    size = plan.rows_a_pass or len(request.targets)
    for first in range(0, len(request.targets), size):
        targets = request.targets[first : first + size]
        positions = np.unique(np.concatenate([np.arange(a, b) for a, b in targets]))
        with model.tape(ids, positions, embed=embed, checkpoint=plan.checkpoint, backward=how) as tape:
            chosen = np.array([(positions >= a) & (positions < b) for a, b in targets])
            batch = plan.batch if tape.embeddings.is_cuda else 1
            for row, gradient in enumerate(backward(tape, torch.as_tensor(chosen), batch, stop)):
                yield first + row, gradient, tape.embeddings[0].detach()


def backward(
    tape: Tape,
    chosen: torch.Tensor,
    batch: int = 1,
    stop: threading.Event | None = None,
    *,
    keep: bool = False,
) -> Iterator[torch.Tensor]:
    """d (sum of a row's chosen losses) / d embeddings, (T', D), row by row; `chosen` (N, M) flags or weights.

    With `batch` above 1 that many rows share one vectorised pass, where every layer has a rule for it
    (bitsandbytes' layers have none: they fall back to single rows). With `keep` the tape serves further calls.
    """
    chosen = chosen.to(tape.seeds)
    at, rows = 0, len(chosen)
    while at < rows:
        if stop is not None and stop.is_set():
            raise Stopped()
        part = chosen[at : at + batch]
        seeds = part[:, :, None] * tape.seeds
        more = keep or at + len(part) < rows
        if batch > 1:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # a layer without a fast rule is looped inside torch
                    (found,) = torch.autograd.grad(
                        tape.outputs, tape.embeddings, seeds, retain_graph=True, is_grads_batched=True
                    )
            except RuntimeError as error:
                if out_of_memory(error):
                    raise
                batch = 1
                continue
            yield from found[:, 0]
        else:
            (found,) = torch.autograd.grad(tape.outputs, tape.embeddings, seeds[0], retain_graph=more)
            yield found[0]
        at += len(part)
