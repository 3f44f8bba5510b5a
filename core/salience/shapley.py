"""Shapley values of the parts by permutations: what a part adds, on the average over all orders of adding.

Each random order is walked from the empty prompt (locked parts alone) to the whole one; a part's value is the mean of
what it adds, with a 95 % interval from the spread over orders. In one order the values add up to f(all) − f(none).
Source: Castro, Gómez, Tejada 2009, "Polynomial calculation of the Shapley value based on sampling".
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from core.cause import CauseRequest
from core.models.language_model import LanguageModel
from core.part_scores import PartScores
from core.records import Tokens
from core.salience.take_out_test import OnShare
from core.salience.taking_out import Instead, TakingOut


def shapley(
    model: LanguageModel,
    request: CauseRequest,
    tokens: Tokens,
    *,
    orders: int = 8,
    seed: int = 0,
    instead: Instead | None = None,
    on_share: OnShare | None = None,
    between: Callable[[], None] | None = None,
    stop: threading.Event | None = None,
) -> PartScores:
    """Means and intervals over `orders` permutations, (S,) nats.

    Where nothing may stand before the answer but what is taken out (no locked part, no beginning-of-text token), the
    empty set cannot be measured: there f(none) counts as f of the order's first part alone.
    """
    out = TakingOut(
        model, tokens, request.targets, request.parts, instead=instead, stop=stop, between=between
    )
    free, rng = list(request.free), np.random.default_rng(seed)
    found = np.zeros((orders, len(free)))
    for row in range(orders):
        order = rng.permutation(len(free))
        gone = set(free)
        before = out.total_nats - out(sorted(gone)).effect_nats
        for done, place in enumerate(order, 1):
            gone.discard(free[place])
            now = out.total_nats - (out(sorted(gone)).effect_nats if gone else 0.0)
            found[row, place] = 0.0 if np.isnan(before) else now - before
            before = now
            if on_share is not None:
                on_share((row + done / len(free)) / orders)
    mean, error = (
        found.mean(0),
        found.std(0, ddof=1) / np.sqrt(orders) if orders > 1 else np.full(len(free), np.nan),
    )
    spread = []
    for values in (mean, mean - 1.96 * error, mean + 1.96 * error):
        whole = np.full(len(request.parts), np.nan)
        whole[free] = values
        spread.append(whole)
    return PartScores(
        request, "shapley", spread[0], spread[1], spread[2], runs=orders * len(free) + 1, passes=out.passes
    )  # fmt: skip
