"""What carried the answer of a row, by the parts of the prompt text that all rows share.

*Find the cause* is asked for the row's conclusion (the last line of its answer) with the template's own parts as parts;
those that hold the row's columns, and the cue, stay. Knows no store and no page.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np

from core.cause import CauseRequest, CauseSettings
from core.improve.carriers import RowCause
from core.improve.few_shot import examples_of
from core.improve.prompt_parts import PromptParts
from core.models.language_model import LanguageModel
from core.records import Tokens
from core.salience import best_map
from core.salience.find_cause import find_cause

Span = tuple[int, int]


def aligned(parts: PromptParts, prompt: str) -> tuple[Span | None, ...] | None:
    """Where each part stands in `prompt`, a row's filling of the template: characters; None for those with columns.

    None altogether where `prompt` was not made from the template.
    """
    fixed = [index not in parts.columns for index in range(len(parts.spans))]
    spans: list[Span | None] = [None] * len(fixed)
    first = next((index for index, own in enumerate(fixed) if not own), len(fixed))
    last = max((index for index, own in enumerate(fixed) if not own), default=-1)
    at = 0
    for index in range(first):
        if not prompt.startswith(parts.of(index), at):
            return None
        spans[index] = (at, at + len(parts.of(index)))
        at += len(parts.of(index))
    end = len(prompt)
    for index in range(len(fixed) - 1, max(last, first - 1), -1):
        own = parts.of(index)
        if end - len(own) < at or not prompt.endswith(own, 0, end):
            return None
        spans[index] = (end - len(own), end)
        end -= len(own)
    for index in range(first, last + 1):
        if fixed[index]:
            start = prompt.find(parts.of(index), at, end)
            if start < 0:
                return None
            at = start + len(parts.of(index))
            spans[index] = (start, at)
    return tuple(spans)


def conclusion_chars(response: str, text: str = "") -> Span | None:
    """The last line of `response` that says something, before it goes on with a next example of the prompt `text`."""
    examples = examples_of(text)
    end = response.find(f"\n{examples[0].fields[0].label}:") if examples else -1
    said = response if end < 0 else response[:end]
    if not said.strip():
        return None
    stop = len(said.rstrip())
    start = said.rfind("\n", 0, stop) + 1
    return start + len(said[start:stop]) - len(said[start:stop].lstrip()), stop


def row_cause(
    model: LanguageModel,
    row: str,
    tokens: Tokens,
    prompt: str,
    parts: PromptParts,
    *,
    stop: threading.Event | None = None,
    between: Callable[[], None] | None = None,
) -> RowCause | None:
    """The cause of the conclusion of the answer in `tokens` to `prompt` (which may stand in a chat's template).

    None where the prompt is not of the template, the answer is empty, or no part may be taken out. Raises: AppError
    where the model tells no log-probabilities; Stopped.
    """
    places = aligned(parts, prompt)
    chars = conclusion_chars(tokens.response, prompt)
    begins = tokens.text[: tokens.prompt_chars].rfind(prompt)
    if places is None or chars is None or begins < 0:
        return None
    spans = {
        index: span
        for index, place in enumerate(places)
        if place is not None
        and (span := _tokens_in(tokens, begins + place[0], begins + place[1])) is not None
    }
    indices = sorted(spans)
    locked = tuple(at for at, index in enumerate(indices) if index not in parts.free)
    if len(locked) == len(indices):
        return None
    target = _tokens_in(tokens, *(tokens.prompt_chars + at for at in chars), response=True)
    if target is None:
        return None
    best = best_map(model.capabilities)[0]
    request = CauseRequest(
        model.spec,
        tuple(int(i) for i in tokens.ids),
        tokens.prompt_len,
        (target,),
        tuple(spans[index] for index in indices),
        locked,
        CauseSettings(map_method=best.name if best is not None else ""),
    )
    found = find_cause(model, request, tokens, stop=stop, between=between)
    shares, effects = np.full(len(parts.spans), np.nan), np.full(len(parts.spans), np.nan)
    if found.map_scores is not None:
        size = np.abs(np.asarray(found.map_scores, np.float64))
        shares[indices] = size / max(float(size.sum()), 1e-12)
    effects[indices] = found.effect_nats
    cause = _told(found.parts, found.also, found.verdict)
    return RowCause(row, shares, effects, tuple(indices[at] for at in cause))


def _told(parts: Sequence[int], also: Sequence[int], verdict: str) -> tuple[int, ...]:
    return (*parts, *also) if verdict in ("one", "several") else ()


def _tokens_in(tokens: Tokens, start: int, stop: int, *, response: bool = False) -> Span | None:
    """The tokens that begin within the characters `start` to `stop`; None where none does."""
    low, high = (tokens.prompt_len, len(tokens)) if response else (0, tokens.prompt_len)
    spans = tokens.char_spans[low:high]
    written = spans[:, 0] < spans[:, 1]
    # A token that opens with the space before a word belongs to the word.
    inside = np.flatnonzero(written & (spans[:, 1] > start) & (spans[:, 1] <= stop)) + low
    return (int(inside[0]), int(inside[-1]) + 1) if len(inside) else None
