"""Take-out test: many runs, each with about half of the parts missing, and a sparse linear model of the outcomes.

A mask keeps each part with probability ½ (seeded). Masks are measured in an order in which neighbours share their
beginnings, so that a run reads only what differs from the one before it. The outcome f, divided by the number of
chosen tokens, is fitted by the LASSO on standardised columns,

    min_w  1 / (2M) · ‖y − b − X w‖² + α ‖w‖₁,        α = 0.01

and the weights are scaled back to nats. LDS is Spearman's correlation of Σ_{kept} w with f on fresh masks.
Source: Cohen-Wang et al. 2024, "ContextCite: Attributing Model Generation to Context", sections 3 and 4.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from core.cause import CauseRequest
from core.models.language_model import LanguageModel
from core.part_scores import PartScores
from core.records import Tokens
from core.salience.taking_out import Instead, TakingOut

Floats = NDArray[np.float64]
Masks = NDArray[np.bool_]
OnShare = Callable[[float], None]
ALPHA, MASKS, FRESH = 0.01, 32, 16


def take_out_test(
    model: LanguageModel,
    request: CauseRequest,
    tokens: Tokens,
    *,
    masks: int = MASKS,
    fresh: int = FRESH,
    seed: int = 0,
    instead: Instead | None = None,
    on_share: OnShare | None = None,
    between: Callable[[], None] | None = None,
    stop: threading.Event | None = None,
) -> PartScores:
    """Weights of the parts that may be taken out, (S,) nats, with their LDS. Raises: Stopped."""
    out = TakingOut(
        model,
        tokens,
        request.targets,
        request.parts,
        chained=True,
        instead=instead,
        stop=stop,
        between=between,
    )
    free = list(request.free)
    drawn = draw(len(free), masks + fresh, seed)
    outcomes = measured(out, free, drawn, on_share)
    size = len(out.rows)
    weights = lasso(drawn[:masks], outcomes[:masks] / size) * size
    score = np.full(len(request.parts), np.nan)
    score[free] = weights
    predicted = drawn[masks:].astype(np.float64) @ weights
    return PartScores(
        request, "take_out_test", score, lds=spearman(predicted, outcomes[masks:]) if fresh > 1 else None,
        runs=masks + fresh, passes=out.passes,
    )  # fmt: skip


def draw(parts: int, count: int, seed: int) -> Masks:
    """`count` masks (count, parts): True where a part stays; one that would take all out keeps the first part."""
    masks = np.random.default_rng(seed).random((count, parts)) < 0.5
    masks[~masks.any(1), 0] = True
    return masks


def measured(out: TakingOut, free: Sequence[int], masks: Masks, on_share: OnShare | None) -> Floats:
    """f of each mask, (M,) nats, measured in the order in which neighbours begin alike."""
    order = sorted(range(len(masks)), key=lambda row: tuple(masks[row].tolist()))
    found = np.zeros(len(masks))
    for done, row in enumerate(order, 1):
        found[row] = out.total_nats - out([free[int(i)] for i in np.flatnonzero(~masks[row])]).effect_nats
        if on_share is not None:
            on_share(done / len(masks))
    return found


def lasso(masks: Masks, outcomes: Floats, alpha: float = ALPHA, steps: int = 20_000) -> Floats:
    """Weights (S,) of the columns of `masks` (M, S), by coordinate descent; 0 for a column that never changes.

    Columns are standardised for the fit and their weights scaled back.
    """
    x = masks.astype(np.float64)
    spread = x.std(0)
    used = spread > 0
    z = (x[:, used] - x[:, used].mean(0)) / spread[used]
    rest = outcomes - outcomes.mean()
    weights = np.zeros(z.shape[1])
    for _ in range(steps):
        largest = 0.0
        for j in range(z.shape[1]):
            before = weights[j]
            pull = float(z[:, j] @ rest) / len(z) + before
            weights[j] = np.sign(pull) * max(abs(pull) - alpha, 0.0)
            if weights[j] != before:
                rest = rest + z[:, j] * (before - weights[j])
                largest = max(largest, abs(weights[j] - before))
        if largest < 1e-10:
            break
    out = np.zeros(masks.shape[1])
    out[used] = weights / spread[used]
    return out


def spearman(a: Floats, b: Floats) -> float:
    """Rank correlation, ties sharing their mean rank; 0 where one of both never changes."""
    first, second = _ranks(a), _ranks(b)
    if not first.std() or not second.std():
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _ranks(values: Floats) -> Floats:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]
