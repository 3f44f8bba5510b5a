"""Leave one out, coarse to fine: blocks first, then the parts of the blocks that mattered most.

Saves most runs on long prompts and can miss copies: two blocks that say the same cover for each other, so neither is
looked into. The note says so wherever it is used. Source: this project, measured in docs/methods/leave_one_out.md.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np

from core.cause import CauseRequest
from core.models.language_model import LanguageModel
from core.part_scores import PartScores, block_size
from core.records import Tokens
from core.salience.take_out_test import OnShare
from core.salience.taking_out import Instead, TakingOut

NOTE = "Only the {best} strongest of {count} blocks were looked into: copies of a text in two blocks can be missed."


def hierarchical(
    model: LanguageModel,
    request: CauseRequest,
    tokens: Tokens,
    blocks: Sequence[Sequence[int]],
    *,
    best: int = 2,
    instead: Instead | None = None,
    on_share: OnShare | None = None,
    between: Callable[[], None] | None = None,
    stop: threading.Event | None = None,
) -> PartScores:
    """Effects alone of the parts in the `best` blocks; NaN for the others. `blocks` group indices of parts."""
    out = TakingOut(
        model, tokens, request.targets, request.parts, instead=instead, stop=stop, between=between
    )
    free = set(request.free)
    groups = [own for block in blocks if (own := [index for index in block if index in free])]
    effects = []
    for done, group in enumerate(groups, 1):
        effects.append(out(group).effect_nats)
        if on_share is not None:
            on_share(0.5 * done / len(groups))
    order = sorted(range(len(groups)), key=lambda g: -effects[g] if effects[g] == effects[g] else np.inf)[
        :best
    ]
    score = np.full(len(request.parts), np.nan)
    inside = [index for g in order for index in groups[g]]
    for done, index in enumerate(inside, 1):
        score[index] = out((index,)).effect_nats
        if on_share is not None:
            on_share(0.5 + 0.5 * done / len(inside))
    note = NOTE.format(best=len(order), count=len(groups)) if len(order) < len(groups) else ""
    return PartScores(
        request, "hierarchical", score, runs=len(groups) + len(inside), passes=out.passes, note=note
    )  # fmt: skip


def neighbours(request: CauseRequest, tokens: Tokens) -> list[tuple[int, ...]]:
    """The parts that may be taken out, in groups of about the square root of their number; an empty line ends one."""
    free = request.free
    size = block_size(len(free))
    groups: list[tuple[int, ...]] = []
    for index in free:
        full = not groups or len(groups[-1]) >= size or _ends_block(tokens, request.parts[groups[-1][-1]])
        groups = [*groups, (index,)] if full else [*groups[:-1], (*groups[-1], index)]
    return groups


def _ends_block(tokens: Tokens, part: tuple[int, int]) -> bool:
    spans = tokens.char_spans[slice(*part)]
    text = tokens.text[int(spans[:, 0].min()) : int(spans[:, 1].max())]
    return text[len(text.rstrip()) :].count("\n") > 1
