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

from core.models.language_model import GradientModel
from core.records import SalienceMatrix, SalienceRequest, Tokens
from core.salience import OnRow
from core.salience.gradients import gradients
from core.salience.inner_products import inner_products
from core.salience.memory import Plan, within_memory
from core.salience.scores import finite

UNITS = "nats per unit of embedding"


def score(gradient: torch.Tensor, embeddings: torch.Tensor) -> torch.Tensor:
    """Norms (T',) of a row's gradient (T', D)."""
    return gradient.norm(dim=-1)


def run(
    model: GradientModel,
    request: SalienceRequest,
    tokens: Tokens | None = None,
    on_row: OnRow | None = None,
    stop: threading.Event | None = None,
) -> SalienceMatrix:
    """Norms (N, T) and their Gram matrices (T, N, N)."""

    def work(plan: Plan) -> SalienceMatrix:
        total, count = len(request.ids), len(request.targets)
        reach = max(end for _, end in request.targets) - 1
        values = np.zeros((count, total), np.float32)
        kept = torch.empty(0)
        for row, gradient, embeddings in gradients(model, request, stop=stop, plan=plan):
            own = request.targets[row][1] - 1
            values[row, :own] = finite(score(gradient[:own].float(), embeddings).cpu().numpy())
            if not row:
                place = "cpu" if plan.gather_on_host else gradient.device
                kept = torch.zeros((reach, count, gradient.shape[1]), dtype=gradient.dtype, device=place)
            kept[:own, row] = gradient[:own].to(kept.device)
            if on_row is not None:
                on_row(row, values[row])
        return SalienceMatrix(
            request, values, inner_products(kept, total), signed=False, units=UNITS, note=plan.note
        )

    return within_memory(model, request, work)
