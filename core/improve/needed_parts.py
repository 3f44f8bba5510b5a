"""Which parts of a prompt keep the chosen words of an answer, and which must go for the model to choose others.

Words are kept while each is the likeliest in its place; where the model does not tell, or drew them by chance, while
they are at least half as likely. Knows no page.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from core.cause import CauseRequest, Removal
from core.improve.minimal_sets import MinimalSet, MinimalSets, minimal_sets
from core.models.language_model import LanguageModel
from core.records import Tokens
from core.salience.taking_out import TakingOut

HALF_NATS = 0.6931471805599453


def needed_parts(
    model: LanguageModel,
    request: CauseRequest,
    tokens: Tokens,
    order: Sequence[int] | None = None,
    *,
    on_asked: Callable[[int], None] | None = None,
    stop: threading.Event | None = None,
    between: Callable[[], None] | None = None,
) -> MinimalSets:
    """Sets of indices of `request.parts`, of those that are free; `order`: those, the strongest first.

    Raises: AppError where the model tells no log-probabilities; Stopped.
    """
    out = TakingOut(model, tokens, request.targets, request.parts, stop=stop, between=between)
    free = list(request.free)
    asked = 0

    def holds(kept: frozenset[int]) -> bool:
        nonlocal asked
        asked += 1
        if on_asked is not None:
            on_asked(asked)
        gone = [index for at, index in enumerate(free) if at not in kept]
        return not gone or _kept(out(gone))

    places = None if order is None else [free.index(index) for index in order]
    found = minimal_sets(len(free), holds, places)
    return replace(found, keeps=_named(found.keeps, free), turns=found.turns and _named(found.turns, free))


def _named(one: MinimalSet, free: Sequence[int]) -> MinimalSet:
    return replace(one, parts=tuple(free[at] for at in one.parts))


def _kept(removal: Removal) -> bool:
    if removal.turns is not None:
        return not removal.turns
    return removal.effect_nats < HALF_NATS  # NaN, where nothing is left: not kept
