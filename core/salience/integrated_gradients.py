"""Integrated gradients: each token's share of log p(target) − log p(target | blank tokens).

    IG_i = −(e_i − b_i) · ∫₀¹ (∂ loss / ∂ e_i)(b + α (e − b)) dα

The integral is taken with Gauss-Legendre nodes, one forward pass and N backward passes a node. Scores of a
row add up to the change of the target's log-probability as far as the nodes resolve it; how far they are off
is said in the note. All tokens before the target move along the path together, special ones too. Rows add.

Source: Sundararajan et al. 2017, "Axiomatic Attribution for Deep Networks", equations 1 and 3.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.family import Field
from core.models.language_model import GradientModel
from core.records import SalienceMatrix, SalienceRequest
from core.salience.declaration import SEED, Method, Work
from core.salience.scores import finite

if TYPE_CHECKING:
    import torch

    from core.models.language_model import Backward
    from core.salience.memory import Plan

ROWS_AT_A_TIME = 8
"""Rows that go through all nodes before the next ones start, so that finished rows can be shown."""
TOLERANCE = 0.05
"""A gap below this part of the change is not worth a note."""


def _compute(work: Work) -> SalienceMatrix:
    """Signed scores (N, T) in nats; progress moves with every node of every group of rows."""
    from core.salience.gradients import gradients
    from core.salience.memory import within_memory

    model, request = work.model, work.request
    steps = int(work.options["steps"] or 0)
    path, how = Path(work.options["baseline"] == "mean", model), METHOD.backward(request)

    def integrate(plan: Plan) -> SalienceMatrix:
        nodes, weights = np.polynomial.legendre.leggauss(steps)
        values = np.zeros((len(request.targets), len(request.ids)), np.float32)
        for first in range(0, len(values), ROWS_AT_A_TIME):
            part = replace(request, targets=request.targets[first : first + ROWS_AT_A_TIME])
            for number, (node, weight) in enumerate(zip((nodes + 1) / 2, weights / 2), 1):
                path.share = float(node)
                for row, gradient, _ in gradients(
                    model, part, stop=work.stop, how=how, embed=path, plan=plan
                ):
                    reach = part.targets[row][1] - 1
                    scores = -(gradient[:reach].float() * path.difference[0, :reach].float()).sum(-1)
                    values[first + row, :reach] += float(weight) * finite(scores.cpu().numpy())
                if work.on_progress is not None:
                    work.on_progress((first + len(part.targets) * number / steps) / len(values))
            if work.on_row is not None:
                for row in range(first, first + len(part.targets)):
                    work.on_row(row, values[row])
        notes = (plan.note, gap_note(values, _change(model, request, path, how), steps))
        note = " ".join(filter(None, notes))
        return SalienceMatrix(request, values, None, METHOD.signed, METHOD.units, note)

    return within_memory(model, request, integrate)


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
        self.difference: Any = None

    def __call__(self, embeddings: torch.Tensor) -> torch.Tensor:
        blank = embeddings * 0 if self._blank is None else self._blank.to(embeddings)
        self.difference = embeddings - blank
        return blank + self.share * self.difference


def _change(model: GradientModel, request: SalienceRequest, path: Path, how: Backward) -> np.ndarray:
    """What each row gains from blank tokens to the real ones, (N,): log p or log-odds, nats."""
    positions = np.unique(np.concatenate([np.arange(a, b) for a, b in request.targets]))
    ends = []
    for share in (0.0, 1.0):
        path.share = share
        with model.tape(np.array(request.ids, np.int64), positions, embed=path, backward=how) as tape:
            ends.append(dict(zip(positions.tolist(), tape.value_nats.tolist())))
    return np.array([sum(ends[1][i] - ends[0][i] for i in range(a, b)) for a, b in request.targets])


METHOD = Method(
    name="integrated_gradients",
    label="Integrated gradients",
    description="How much each token adds to the answer's log-probability, on the way from blank tokens to these.",
    units="nats",
    signed=True,
    combines="add",
    compute=_compute,
    options=(
        Field(
            name="steps",
            label="Steps",
            kind="number",
            default=20,
            description="Stops on the way: more take longer and come closer.",
            minimum=2,
            maximum=200,
        ),
        Field(
            name="baseline",
            label="Blank token",
            kind="choice",
            default="mean",
            description="What a blank token is: the average of all tokens, or no signal at all.",
            choices=(("mean", "the average"), ("zero", "no signal")),
        ),
        SEED,
    ),
)
