"""The answer to "why?" in one sentence, from what was measured; and what of the influence is shown at all.

Pure functions. A sentence is a list of (tag, text): `b` for what is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.cause import Cause, less_likely
from core.counterfactuals import times
from core.records import Role, Segment, Tokens
from core.ui.salience_page.measuring import NOTHING_NATS, TakeOutTrial
from core.ui.salience_text.why import Tag

MATTERS_NATS = 1.0
"""A part whose removal makes the words at least this much less likely (2.7 times) matters by itself."""
Pieces = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The sentence, and whether map and measurement say the same ("": cannot be told yet)."""

    sentence: Pieces
    tag: str = ""
    kind: Tag = ""


def verdict(trials: Mapping[int, TakeOutTrial], shares: Sequence[float], names: Sequence[str]) -> Verdict:
    """From the finished trials (by part) and the map's shares (parts,); without trials an empty sentence."""
    done = {part: trial for part, trial in trials.items() if trial.done and trial.error is None}
    if not done:
        return Verdict([])
    first = max(range(len(shares)), key=lambda part: abs(shares[part]))
    part = min(done, key=lambda p: (not done[p].turns, done[p].nats))
    trial, share = done[part], abs(shares[part])
    if not _matters(trial):
        count = len(done)
        which = (
            f"taking out {names[part]}" if count == 1 else f"none of the {count} parts that were taken out"
        )
        words = "changed next to nothing" if count == 1 else "changed much by itself"
        return Verdict(
            [("", f"No single part decides: {which} {words}.")],
            "map and measurement disagree" if part == first or first in done else "",
            "disagree" if part == first or first in done else "",
        )
    without = f" Without it {_outcome(trial)}."
    if part == first:
        return Verdict(
            [
                ("", "Mostly because of "),
                ("b", names[part]),
                ("", f" ({percent(share)} of the influence).{without}"),
            ],
            "map and measurement agree",
            "agree",
        )
    if first not in done:
        return Verdict([("", "Measured: because of "), ("b", names[part]), ("", f".{without}")])
    return Verdict(
        [
            ("", "Because of "),
            ("b", names[part]),
            ("", f".{without} The map pointed to {names[first]} first ({percent(abs(shares[first]))})."),
        ],
        "map and measurement disagree",
        "disagree",
    )


def percent(share: float) -> str:
    """As everywhere on the page: a narrow gap before the sign, and never nothing for something."""
    return f"{100 * share:.0f}\u00a0%" if share >= 0.005 or not share else "<\u00a01\u00a0%"


def of_cause(
    cause: Cause, shares: Sequence[float], own: Sequence[int], name: str, words: str, turns: bool | None
) -> Verdict:
    """From a search for the cause that ended. `own` are the prompt's parts that its indices count, `name` the
    cause on the page, `words` the search's own sentence; `turns`: the model writes something else without it.
    """
    first = max(own, key=lambda part: abs(shares[part]))
    if not cause.parts:
        return Verdict([("", words)], "map and measurement disagree" if cause.escalated else "")
    agrees = first in [own[index] for index in cause.parts]
    tag = "map and measurement agree" if agrees else "map and measurement disagree"
    kind: Tag = "agree" if agrees else "disagree"
    if cause.verdict != "one" or cause.found is None:
        return Verdict([("", words)], tag, kind)
    share = abs(shares[own[cause.parts[0]]])
    changed = turns if turns is not None else cause.found.turns
    outcome = "the answer turns" if changed else f"these words are {less_likely(cause.found.effect_nats)}"
    also = f" {words}" if cause.also else ""
    return Verdict(
        [
            ("", "Mostly because of " if agrees else "Because of "),
            ("b", name),
            ("", f" ({percent(share)} of the influence). Without it {outcome}.{also}"),
        ],
        tag,
        kind,
    )


def _matters(trial: TakeOutTrial) -> bool:
    return trial.turns or trial.nats <= -MATTERS_NATS


def _outcome(trial: TakeOutTrial) -> str:
    if trial.turns:
        return "the answer turns"
    if abs(trial.nats) < NOTHING_NATS:
        return "nothing changes"
    return f"these words are {times(trial.nats)}"


def whole(scores: NDArray[np.float32], tokens: Tokens, rows: Sequence[int]) -> str:
    """What of all influence on the chosen words the shares leave out, in percent of the whole.

    `scores` (T,) are those of every token; `rows` are the chosen tokens, counted from the response's first.
    """
    size = np.abs(np.asarray(scores, np.float64)).copy()
    total = float(size.sum())
    if not total or not len(rows):
        return ""
    start = tokens.prompt_len
    chosen = np.zeros(len(size), bool)
    chosen[[start + row for row in rows]] = True
    response = np.arange(len(size)) >= start
    shown = (tokens.role == Role.PROMPT) & ~tokens.special & ~response
    parts = {
        "Shown": size[shown].sum(),
        "its own earlier words": size[response & ~chosen].sum(),
        "the chosen words themselves": size[chosen].sum(),
        "template and special tokens": size[~response & ~shown].sum(),
    }
    said = {name: percent(value / total) for name, value in parts.items()}
    rest = ", ".join(f"{name} {said[name]}" for name in list(parts)[1:] if parts[name] > 0)
    return f"Shown: {said['Shown']} of all influence." + (f" Not shown: {rest}." if rest else "")


def own_shares(
    scores: NDArray[np.float32], parts: Sequence[Segment], chosen: Sequence[int], total: float
) -> list[float]:
    """What each part of the answer that came before the chosen words had of the influence on them.

    `scores` (T,) of every token; `total` is the prompt's, so that both stand on one scale. The chosen parts and what
    comes after them have none.
    """
    last = max(chosen, default=-1)
    return [
        float(scores[slice(*part.tokens)].sum()) / total
        if total and part.index < last and part.index not in chosen
        else 0.0
        for part in parts
    ]
