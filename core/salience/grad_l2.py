"""Grad L2: the length of the gradient at each token, `grad_l2[i] = ‖∂ loss / ∂ e_i‖₂`.

Lengths of a sum are no sums of lengths, so the inner products `K_i[n, m] = ⟨g[n, i], g[m, i]⟩` are kept:
a set of rows with weights s scores sqrt(sᵀ K_i s), exactly (`core.aggregate.select`).

Source: Simonyan et al. 2014, "Deep Inside Convolutional Networks", section 3, with the L2 norm over the
embedding's width as in Li et al. 2016, "Visualizing and Understanding Neural Models in NLP".
"""

from __future__ import annotations

import threading

import numpy as np
import torch

from core.models.base import GradientModel
from core.records import SalienceMatrix, SalienceRequest, Tokens
from core.salience import OnRow
from core.salience.gradients import gradients
from core.salience.scores import finite

UNITS = "nats per unit of embedding"


def run(
    model: GradientModel,
    request: SalienceRequest,
    tokens: Tokens | None = None,
    on_row: OnRow | None = None,
    stop: threading.Event | None = None,
) -> SalienceMatrix:
    """Norms (N, T) and their Gram matrices (T, N, N)."""
    total, count = len(request.ids), len(request.targets)
    values = np.zeros((count, total), np.float32)
    kept: list[torch.Tensor] = []
    for row, gradient, _ in gradients(model, request, stop=stop):
        reach = request.targets[row][1] - 1
        gradient[reach:] = 0
        values[row, :reach] = finite(gradient[:reach].float().norm(dim=-1).cpu().numpy())
        kept.append(gradient)
        if on_row is not None:
            on_row(row, values[row])
    stack = torch.stack(kept, 1)  # (T', N, D), in the model's own dtype
    gram = np.zeros((total, count, count), np.float32)
    for start in range(0, len(stack), 64):
        part = stack[start : start + 64].float()
        gram[start : start + len(part)] = torch.bmm(part, part.transpose(1, 2)).cpu().numpy()
    return SalienceMatrix(request, values, gram, signed=False, units=UNITS)
