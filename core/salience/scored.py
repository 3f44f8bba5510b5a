"""The matrix of a method that scores the gradient of each row, by one forward pass and a backward pass a row.

Where rows combine through inner products (`combines` "gram") the gradients are kept until the end for them.
Knows no method; the passes are `gradients.py`'s, what fits the memory is `memory.py`'s.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from core.records import SalienceMatrix, SalienceRequest
from core.salience.gradients import gradients
from core.salience.inner_products import inner_products
from core.salience.memory import Plan, within_memory
from core.salience.scores import finite

if TYPE_CHECKING:
    from core.salience.declaration import Method, OnRow


def scored(
    member: Method,
    model: Any,
    request: SalienceRequest,
    on_row: OnRow | None = None,
    stop: threading.Event | None = None,
) -> SalienceMatrix:
    """Scores (N, T) by `member.score`, and the rows' inner products (T, N, N) where they combine so.

    Raises: AppError when memory runs out or scores are no numbers; Stopped.
    """
    score = member.score
    assert score is not None, f"{member.name} does not score gradients"

    def work(plan: Plan) -> SalienceMatrix:
        total, count = len(request.ids), len(request.targets)
        reach = max(end for _, end in request.targets) - 1
        values = np.zeros((count, total), np.float32)
        kept = None
        for row, gradient, embeddings in gradients(
            model, request, stop=stop, how=member.backward(request), plan=plan
        ):
            own = request.targets[row][1] - 1
            values[row, :own] = finite(score(gradient[:own].float(), embeddings[:own].float()).cpu().numpy())
            if member.combines == "gram":
                if kept is None:
                    place = "cpu" if plan.gather_on_host else gradient.device
                    shape = (reach, count, gradient.shape[1])
                    kept = torch.zeros(shape, dtype=gradient.dtype, device=place)
                kept[:own, row] = gradient[:own].to(kept.device)
            if on_row is not None:
                on_row(row, values[row])
        products = None if kept is None else inner_products(kept, total)
        return SalienceMatrix(
            request,
            values,
            products,
            signed=member.signed,
            units=member.units,
            note=plan.note,
            combines=member.combines,
        )

    return within_memory(model, request, work)
