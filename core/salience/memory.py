"""Ways to compute the same gradients in less memory, and going from one to the next when memory runs out.

Every plan gives the same numbers; smaller ones take longer. Knows which error means "out of memory" and how
large a plan is expected to be, nothing of what is computed.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch

from core.errors import AppError
from core.models.local.estimate import RESERVE, facts_from_config, free_bytes, gigabytes, salience_bytes
from core.records import SalienceRequest

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plan:
    """How many rows share a forward pass (0: all), what the layers keep, and where gradients are gathered."""

    rows_a_pass: int = 0
    checkpoint: bool = False
    """Keep only the layers' borders and compute the rest again in every backward pass."""
    gather_on_host: bool = False
    batch: int = 1
    """Rows of one batched backward pass (on a GPU; a CPU gains nothing)."""
    note: str = ""


PLANS: tuple[Plan, ...] = (
    Plan(batch=8),
    Plan(rows_a_pass=8, gather_on_host=True, note="computed in passes of 8 rows, to fit the memory"),
    Plan(
        rows_a_pass=8,
        checkpoint=True,
        gather_on_host=True,
        note="computed in passes of 8 rows, each layer anew, to fit the memory: slower, the same numbers",
    ),
    Plan(
        rows_a_pass=1,
        checkpoint=True,
        gather_on_host=True,
        note="computed row by row, each layer anew, to fit the memory: much slower, the same numbers",
    ),
)


def within_memory(model: Any, request: SalienceRequest, work: Callable[[Plan], T]) -> T:
    """The result of `work` with the first plan that fits the memory.

    Plans that are expected not to fit are passed over, but for the last. Raises: AppError when none does.
    """
    for plan in _plans(model, request):
        try:
            return work(plan)
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    needed = _expected(model, request, PLANS[-1])
    raise AppError(
        f"There is not enough memory to explain {len(request.ids):,} tokens with {model.spec.name} in "
        f"{model.spec.precision}: even row by row it takes about {gigabytes(needed)}, and "
        f"{gigabytes(free_bytes(model.spec.device))} are free.",
        hint="Shorten the prompt, choose a coarser granularity, or load the model in int8 or nf4.",
        code="memory",
    )


def out_of_memory(error: BaseException) -> bool:
    """Whether `error` says that memory ran out, on a GPU or in the machine."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    words = str(error).lower()
    return "out of memory" in words or "can't allocate memory" in words or "not enough memory" in words


def _plans(model: Any, request: SalienceRequest) -> Iterator[Plan]:
    free = free_bytes(model.spec.device)
    for plan in PLANS:
        if plan is PLANS[-1] or RESERVE * _expected(model, request, plan) <= free:
            yield plan


def forward_bytes(model: Any, request: SalienceRequest) -> int:
    """Bytes that the forward pass is expected to hold for its backward passes; 0 where sizes are not known."""
    return _expected(model, replace(request, targets=()), Plan())


def _expected(model: Any, request: SalienceRequest, plan: Plan) -> int:
    """Bytes the plan is expected to take on the model's device; 0 where the model's sizes are not known."""
    config = getattr(getattr(model, "model", None), "config", None)
    if config is None:
        return 0
    attention = "eager" if request.method == "gim" else config._attn_implementation
    sizes = facts_from_config(config.to_dict() | {"_attn_implementation": attention})
    return salience_bytes(
        sizes,
        model.spec.dtype,
        len(request.ids),
        len(request.targets),
        rows_a_pass=plan.rows_a_pass,
        checkpoint=plan.checkpoint,
    )
