"""Any way of scoring parts by taking many out (`core.part_scores.WAYS`), asked by its name. Knows no page."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from core.cause import CauseRequest
from core.errors import AppError
from core.family import find, resolve
from core.models.language_model import LanguageModel
from core.part_scores import HOW_TOLD, WAYS, PartScores
from core.records import Option, Tokens
from core.salience.contrast import contrast
from core.salience.hierarchical import hierarchical, neighbours
from core.salience.shapley import shapley
from core.salience.take_out_test import OnShare, take_out_test
from core.salience.taking_out import Instead, neutral, stand_ins


def score_parts(
    model: LanguageModel,
    request: CauseRequest,
    tokens: Tokens,
    way: str,
    options: Mapping[str, Option] | None = None,
    *,
    lines: Sequence[str] = (),
    on_share: OnShare | None = None,
    between: Callable[[], None] | None = None,
    stop: threading.Event | None = None,
) -> PartScores:
    """Scores (S,) by `way`; `lines` are those of another example, for the option `how` "other".

    Raises: AppError for a way or an option that is none, without a part to take out or log-probabilities; Stopped.
    """
    chosen = find("way of scoring", WAYS, way)
    said = resolve(chosen.label, chosen.options, options or {})
    instead = in_place(model, request, tokens, str(said["how"]), lines)
    if way == "take_out_test":
        found = take_out_test(
            model, request, tokens, masks=int(str(said["masks"])),
            instead=instead, on_share=on_share, between=between, stop=stop,
        )  # fmt: skip
    elif way == "shapley":
        found = shapley(
            model, request, tokens, orders=int(str(said["orders"])),
            instead=instead, on_share=on_share, between=between, stop=stop,
        )  # fmt: skip
    else:
        blocks = neighbours(request, tokens)
        found = hierarchical(
            model, request, tokens, blocks,
            instead=instead, on_share=on_share, between=between, stop=stop,
        )  # fmt: skip
    return _told(found, str(said["how"]))


def contrast_parts(
    model: LanguageModel,
    request: CauseRequest,
    tokens: Tokens,
    other: Tokens,
    how: str = "cut",
    *,
    lines: Sequence[str] = (),
    on_share: OnShare | None = None,
    between: Callable[[], None] | None = None,
    stop: threading.Event | None = None,
) -> PartScores:
    """*Why this and not that*, told how parts were taken out. Raises: as `score_parts` and `contrast`."""
    instead = in_place(model, request, tokens, how, lines)
    found = contrast(
        model, request, tokens, other, instead=instead, on_share=on_share, between=between, stop=stop
    )
    return _told(found, how)


def in_place(
    model: LanguageModel, request: CauseRequest, tokens: Tokens, how: str, lines: Sequence[str]
) -> Instead | None:
    """What stands in the place of a part; checks first that parts can be taken out of this question at all."""
    if not model.capabilities.logprobs:
        why = model.capabilities.why.get("logprobs", "it gives no log-probabilities")
        raise AppError(f"Taking out cannot be measured with {model.spec.name}: {why}.")
    if not request.free:
        raise AppError(
            "No part of this prompt may be taken out: every one is locked.",
            hint="Unlock one, or choose a finer granularity.",
        )
    if how not in HOW_TOLD:
        raise AppError(f"A part is taken out by {', '.join(HOW_TOLD)}, but this is {how!r}.")
    if how == "cut":
        return None
    if how == "neutral":
        return neutral(model, tokens, request.parts)
    kept = [line for line in lines if line.strip()]
    if not kept:
        raise AppError(
            "There is no other example to take lines from.", hint="Add one to the dataset, or cut parts out."
        )
    return stand_ins(model, tokens, request.parts, kept)


def _told(found: PartScores, how: str) -> PartScores:
    return replace(found, note=f"{found.note} {HOW_TOLD[how]}".strip())
