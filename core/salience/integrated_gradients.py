"""Integrated gradients: each token's share of log p(target) − log p(target | blank tokens).

    IG_i = −(e_i − b_i) · ∫₀¹ (∂ loss / ∂ e_i)(b + α (e − b)) dα

The integral is taken with Gauss-Legendre nodes, one forward pass and N backward passes a node. Scores of a
row add up to the change of the target's log-probability as far as the nodes resolve it; how far they are off
is said in the note. All tokens before the target move along the path together, special ones too. Rows add.

Source: Sundararajan et al. 2017, "Axiomatic Attribution for Deep Networks", equations 1 and 3.
"""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import torch

from core.models.language_model import GradientModel
from core.records import SalienceMatrix, SalienceRequest, Tokens
from core.salience import OnProgress, OnRow, method
from core.salience.gradients import backward_of, gradients
from core.salience.memory import Plan, within_memory
from core.salience.scores import finite

UNITS = "nats"
ROWS_AT_A_TIME = 8
"""Rows that go through all nodes before the next ones start, so that finished rows can be shown."""
TOLERANCE = 0.05
"""A gap below this part of the change is not worth a note."""


def run(
    model: GradientModel,
    request: SalienceRequest,
    tokens: Tokens | None = None,
    on_row: OnRow | None = None,
    stop: threading.Event | None = None,
    on_progress: OnProgress | None = None,
) -> SalienceMatrix:
    """Signed scores (N, T) in nats; progress moves with every node of every group of rows."""
    declared = method("integrated_gradients")
    steps = int(declared.option(request, "steps") or 0)
    path = Path(declared.option(request, "baseline") == "mean", model)

    def work(plan: Plan) -> SalienceMatrix:
        nodes, weights = np.polynomial.legendre.leggauss(steps)
        values = np.zeros((len(request.targets), len(request.ids)), np.float32)
        for first in range(0, len(values), ROWS_AT_A_TIME):
            part = replace(request, targets=request.targets[first : first + ROWS_AT_A_TIME])
            for number, (node, weight) in enumerate(zip((nodes + 1) / 2, weights / 2), 1):
                path.share = float(node)
                for row, gradient, _ in gradients(model, part, stop=stop, embed=path, plan=plan):
                    reach = part.targets[row][1] - 1
                    scores = -(gradient[:reach].float() * path.difference[0, :reach].float()).sum(-1)
                    values[first + row, :reach] += float(weight) * finite(scores.cpu().numpy())
                if on_progress is not None:
                    on_progress((first + len(part.targets) * number / steps) / len(values))
            if on_row is not None:
                for row in range(first, first + len(part.targets)):
                    on_row(row, values[row])
        notes = (plan.note, gap_note(values, _change(model, request, path), steps))
        return SalienceMatrix(
            request, values, None, signed=True, units=UNITS, note=" ".join(filter(None, notes))
        )

    return within_memory(model, request, work)


def gap_note(values: np.ndarray, change: np.ndarray, steps: int) -> str:
    """What to say when the rows of `values` (N, T) do not add up to `change` (N,); mostly nothing."""
    total = float(np.abs(change).sum())
    gap = float(np.abs(values.sum(1) - change).sum())
    if gap <= TOLERANCE * total:
        return ""
    return (
        f"With {steps} steps the scores miss the change of log-probability that they share out by "
        f"{gap / max(total, 1e-9):.0%}. More steps bring them closer."
    )


class Path:
    """The embeddings at `share` of the way from blank tokens to the real ones."""

    def __init__(self, mean: bool, model: GradientModel) -> None:
        self._blank = model.mean_embedding() if mean else None
        self.share = 1.0
        self.difference = torch.empty(0)

    def __call__(self, embeddings: torch.Tensor) -> torch.Tensor:
        blank = torch.zeros_like(embeddings) if self._blank is None else self._blank.to(embeddings)
        self.difference = embeddings - blank
        return blank + self.share * self.difference


def _change(model: GradientModel, request: SalienceRequest, path: Path) -> np.ndarray:
    """What each row gains from blank tokens to the real ones, (N,): log p or log-odds, nats."""
    positions = np.unique(np.concatenate([np.arange(a, b) for a, b in request.targets]))
    ends = []
    for share in (0.0, 1.0):
        path.share = share
        ids, how = np.array(request.ids, np.int64), backward_of(request)
        with model.tape(ids, positions, embed=path, backward=how) as tape:
            ends.append(dict(zip(positions.tolist(), tape.value_nats.tolist())))
    return np.array([sum(ends[1][i] - ends[0][i] for i in range(a, b)) for a, b in request.targets])
