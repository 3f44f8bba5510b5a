"""Why this and not that: what taking a part out does to the chosen words against other words, measured.

    contrast[S] = [f(all) − f(all ∖ S)]_this − [f(all) − f(all ∖ S)]_that        (nats)

Positive: the part speaks for *this* rather than *that*. Both continuations are ids behind the same prompt: *that* is a
token's alternative, typed words, or another version's answer. (A contrast of gradients was measured and names the
cause in 47 to 62 of 100 prompts; the measured one is what is offered.)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from core.cause import CauseRequest
from core.errors import AppError
from core.models.language_model import LanguageModel
from core.part_scores import PartScores
from core.records import Role, Tokens
from core.salience.take_out_test import OnShare
from core.salience.taking_out import Instead, TakingOut


def instead_of(tokens: Tokens, start: int, ids: Sequence[int], text: str) -> Tokens:
    """`tokens` up to `start` (in the answer), then `ids`, which show `text` in all: what might stand there.

    Raises: AppError for a place that is not in the answer, or without ids.
    """
    if not tokens.prompt_len <= start <= len(tokens) or not len(ids):
        raise AppError(
            f"Other words should start within the answer, tokens {tokens.prompt_len:,} to {len(tokens):,}, and hold a "
            f"token, but they start at {start:,} and hold {len(ids):,}."
        )
    cut = max(tokens.prompt_chars, int(tokens.char_spans[:start, 1].max(initial=0)))
    spans = np.full((len(ids), 2), cut, np.int64)
    spans[-1, 1] = cut + len(text)
    return Tokens(
        ids=np.concatenate([tokens.ids[:start], np.asarray(ids, np.int64)]),
        text=tokens.text[:cut] + text,
        char_spans=np.concatenate([tokens.char_spans[:start], spans]),
        special=np.concatenate([tokens.special[:start], np.zeros(len(ids), np.bool_)]),
        role=np.concatenate([tokens.role[:start], np.full(len(ids), Role.RESPONSE, np.int8)]),
        prompt_len=tokens.prompt_len,
    )


def contrast(
    model: LanguageModel,
    request: CauseRequest,
    tokens: Tokens,
    other: Tokens,
    *,
    parts: Sequence[int] | None = None,
    instead: Instead | None = None,
    on_share: OnShare | None = None,
    between: Callable[[], None] | None = None,
    stop: threading.Event | None = None,
) -> PartScores:
    """The contrast of each of `parts` (all that are free), (S,) nats; NaN for the others.

    *This* are the request's targets in `tokens`, *that* the words of `other` from where it leaves `tokens` on.
    Raises: AppError where the two prompts differ, or the words do not.
    """
    size = min(len(tokens), len(other))
    unlike = np.flatnonzero(tokens.ids[:size] != other.ids[:size])
    first = int(unlike[0]) if len(unlike) else size
    if other.prompt_len != tokens.prompt_len or first < tokens.prompt_len:
        raise AppError("The two answers should stand behind the same prompt, but their prompts differ.")
    if first >= len(other):
        raise AppError("The other words are those that were written.", hint="Name words that are not.")
    chosen = list(request.free if parts is None else parts)
    effects: list[NDArray[np.float64]] = []
    passes = 0.0
    for turn, (text, targets) in enumerate(((tokens, request.targets), (other, ((first, len(other)),)))):
        out = TakingOut(model, text, targets, request.parts, instead=instead, stop=stop, between=between)
        own = np.full(len(request.parts), np.nan)
        for done, index in enumerate(chosen, 1):
            own[index] = out((index,)).effect_nats
            if on_share is not None:
                on_share((turn + done / len(chosen)) / 2)
        effects.append(own)
        passes += out.passes
    return PartScores(request, "contrast", effects[0] - effects[1], runs=2 * len(chosen), passes=passes)
