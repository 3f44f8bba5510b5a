"""Grad · input: `−(∂ loss / ∂ e_i) · e_i`, each token's first-order share in the target's log-probability.

Positive supports the target. Rows add. (On LIT's wire the sign is the loss's; it is turned there.)

Source: Denil et al. 2014, "Extraction of Salient Sentences from Labelled Documents"; Shrikumar et al. 2017,
"Learning Important Features Through Propagating Activation Differences", section 2.2.
"""

from __future__ import annotations

import threading

import numpy as np
import torch

from core.models.language_model import GradientModel
from core.records import SalienceMatrix, SalienceRequest, Tokens
from core.salience import OnRow
from core.salience.gradients import gradients
from core.salience.memory import Plan, within_memory
from core.salience.scores import finite

UNITS = "nats"


def score(gradient: torch.Tensor, embeddings: torch.Tensor) -> torch.Tensor:
    """Scores (T',) in nats from a row's gradient and embeddings, both (T', D)."""
    return -(gradient * embeddings).sum(-1)


def run(
    model: GradientModel,
    request: SalienceRequest,
    tokens: Tokens | None = None,
    on_row: OnRow | None = None,
    stop: threading.Event | None = None,
) -> SalienceMatrix:
    """Signed scores (N, T) in nats."""

    def work(plan: Plan) -> SalienceMatrix:
        values = np.zeros((len(request.targets), len(request.ids)), np.float32)
        for row, gradient, embeddings in gradients(model, request, stop=stop, plan=plan):
            reach = request.targets[row][1] - 1
            scores = score(gradient[:reach].float(), embeddings[:reach].float())
            values[row, :reach] = finite(scores.cpu().numpy())
            if on_row is not None:
                on_row(row, values[row])
        return SalienceMatrix(request, values, None, signed=True, units=UNITS, note=plan.note)

    return within_memory(model, request, work)
