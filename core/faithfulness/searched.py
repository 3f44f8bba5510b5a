"""*Find the cause* on prompts whose cause was planted: what it said, and whether it was right.

Beside it the ranks that the maps alone give the cause among the parts that may be taken out. Knows no file and no
grammar; a `PlantedPrompt` is one that the model itself has verified.
"""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.cause import Cause, CauseRequest, CauseSettings, proposed_locks
from core.faithfulness.planted import PlantedPrompt
from core.models.language_model import LanguageModel
from core.records import Option
from core.salience import method, span
from core.salience.find_cause import find_cause
from core.salience.take_out_test import draw, measured, spearman
from core.salience.taking_out import TakingOut

MAPS: tuple[tuple[str, str, bool, tuple[tuple[str, Option], ...]], ...] = (
    ("gim", "gim", True, ()),
    ("gim, log-odds", "gim", True, (("seed", "log_odds"),)),
    ("grad_l2", "grad_l2", False, ()),
    ("grad_l2, log-odds", "grad_l2", False, (("seed", "log_odds"),)),
    ("grad_dot_input by sign", "grad_dot_input", True, ()),
    ("grad_dot_input by size", "grad_dot_input", False, ()),
)
"""(name, method, ranked by the signed value, options)."""


@dataclass(frozen=True, slots=True)
class SearchTrial:
    """One prompt: what the search said and what the maps alone would have.

    `right`: the cause alone for a single one; all copies and nothing else; nothing where there is none. `first`: a
    cause leads what is named. `ranks` of the first cause by map, 1 is first; `measured` how many removals.
    """

    verdict: str
    named: tuple[int, ...]
    causes: tuple[int, ...]
    parts: int
    locked: int
    right: bool
    first: bool
    escalated: bool
    measured: int
    passes: float
    joint_nats: float
    removal_turns: bool | None
    """Whether taking the one cause out turns the answer, where that was measured."""
    ranks: dict[str, int]

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def request_of(
    trial: PlantedPrompt, model: LanguageModel, settings: CauseSettings | None = None
) -> CauseRequest:
    """The question that the page would ask of a verified prompt, by the line."""
    assert trial.tokens is not None
    tokens, lines = trial.tokens, trial.lines
    return CauseRequest(
        model.spec,
        tuple(int(i) for i in tokens.ids),
        tokens.prompt_len,
        (trial.target,),
        tuple(line.tokens for line in lines),
        proposed_locks(lines),
        settings or CauseSettings(),
    )


def search(
    model: LanguageModel,
    trial: PlantedPrompt,
    *,
    maps: bool = True,
    settings: CauseSettings | None = None,
    stop: threading.Event | None = None,
) -> SearchTrial:
    """Find the cause of a verified prompt, and rank it with the maps."""
    assert trial.tokens is not None
    request = request_of(trial, model, settings)
    cause = find_cause(model, request, trial.tokens, stop=stop)
    causes = tuple(sorted(trial.causes()))
    return SearchTrial(
        verdict=cause.verdict,
        named=cause.parts,
        causes=causes,
        parts=len(request.parts),
        locked=len(request.locked),
        right=_right(cause, causes),
        first=_first(cause) in causes,
        escalated=cause.escalated,
        measured=len(cause.removals),
        passes=cause.passes,
        joint_nats=cause.joint.effect_nats if cause.joint else float("nan"),
        removal_turns=cause.turns[causes[0]] if len(causes) == 1 else None,
        ranks=map_ranks(map_scores(model, trial, request), request, causes) if maps and causes else {},
    )


def _first(cause: Cause) -> int | None:
    """The part that the sentence names first; for "spread" the strongest that was measured alone."""
    if cause.parts:
        return cause.parts[0]
    return cause.singles[0].parts[0] if cause.verdict == "spread" and cause.singles else None


def _right(cause: Cause, causes: tuple[int, ...]) -> bool:
    if not causes:
        return cause.verdict == "none"
    if len(causes) == 1:
        return cause.verdict == "one" and cause.parts == causes
    return cause.verdict == "several" and tuple(sorted(cause.parts)) == causes


Scores = dict[str, tuple[NDArray[np.float64], bool]]
"""Map -> scores of the parts (S,), and whether they are ranked by the signed value."""


def map_scores(model: LanguageModel, trial: PlantedPrompt, request: CauseRequest) -> Scores:
    """What each map that the model has gives to each part."""
    assert trial.tokens is not None
    known: dict[tuple[str, tuple[tuple[str, Option], ...]], NDArray[np.float64]] = {}
    found: Scores = {}
    for name, called, signed, options in MAPS:
        if not method(called).available(model.capabilities):
            continue
        key = (called, options)
        if key not in known:
            scores = span(model, trial.tokens, called, trial.target, options=options)
            known[key] = np.array([scores[a:b].sum() for a, b in request.parts], np.float64)
        found[name] = (known[key], signed)
    return found


def map_ranks(scores: Scores, request: CauseRequest, causes: tuple[int, ...]) -> dict[str, int]:
    """Where each map puts the best (of copies: the worst) cause among the parts that may be taken out."""
    found = {}
    for name, (values, signed) in scores.items():
        strength = values if signed else np.abs(values)
        order = sorted(request.free, key=lambda i: -float(strength[i]))
        found[name] = max(order.index(cause) + 1 if cause in order else len(order) for cause in causes)
    return found


def map_measures(
    model: LanguageModel,
    trial: PlantedPrompt,
    request: CauseRequest,
    scores: Scores,
    *,
    masks: int = 16,
    seed: int = 0,
    stop: threading.Event | None = None,
) -> dict[str, dict[str, float]]:
    """How each map, and leave one out, agrees with taking parts out; NaN where nothing can be said.

    - `lds`: Spearman's correlation of the kept parts' scores, summed, with the chosen words' log-probability, over
      `masks` masks that keep each part with probability one half (Cohen-Wang et al. 2024)
    - `idle_share`: of all absolute scores, what stands on parts that do nothing: whose own removal does less than a
      tenth of what the most effective one's does

    Raises: Stopped.
    """
    assert trial.tokens is not None
    free = list(request.free)
    alone = TakingOut(model, trial.tokens, request.targets, request.parts, stop=stop)
    effects = np.array([alone([part]).effect_nats for part in free])
    chained = TakingOut(model, trial.tokens, request.targets, request.parts, chained=True, stop=stop)
    drawn = draw(len(free), masks, seed)
    outcomes = measured(chained, free, drawn, None)
    idle = np.abs(effects) < 0.1 * np.abs(effects).max()
    own = {name: values[free] for name, (values, _) in scores.items()} | {"leave_one_out": effects}
    return {
        name: {"lds": spearman(drawn @ values, outcomes), "idle_share": _part_of(np.abs(values), idle)}
        for name, values in own.items()
    }


def _part_of(sizes: NDArray[np.float64], chosen: NDArray[np.bool_]) -> float:
    return float(sizes[chosen].sum() / sizes.sum()) if sizes.sum() > 0 else float("nan")
