"""What stands above the list of the strongest parts: what was found out last, in words. And the buttons under it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core import aggregate, target_choice
from core.cause import Cause, CauseSettings
from core.counterfactuals import times
from core.records import Generation
from core.salience import Method
from core.ui.asking import answering
from core.ui.asking.answering import Answer
from core.ui.explaining import maps
from core.ui.explaining.controls import Cut, Look
from core.ui.explaining.maps import Parts
from core.ui.salience_page import causes, changes, keeping, measuring
from core.ui.salience_page.measuring import NOTHING_NATS, TakeOutTrial
from core.ui.salience_text import Card
from core.ui.shell import rights

Shares = NDArray[np.float32]


def latest_card(
    answer: Answer,
    here: Parts,
    chosen: Sequence[int],
    shares: Shares | None,
    cut: Cut,
    method: Method,
    look: Look,
) -> list[Card]:
    """The trial that ended last for these words, else what changed since the run before."""
    if keeping.closed():
        return []
    rows = measuring.rows_of(answer, here, chosen)
    ended = [(n, t) for n, t in enumerate(measuring.trials(answer)) if t.rows == rows and t.done]
    ended = [(n, t) for n, t in ended if t.error is None]
    if ended:
        number, trial = min(ended, key=lambda one: (not one[1].turns, one[1].nats))
        return [_trial(number, trial, here)]
    if answer.before is not None and answer.before.generation is not None:
        return [_changed(answer, answer.before, here, shares, cut, method, look)]
    return []


def _trial(number: int, trial: TakeOutTrial, here: Parts) -> Card:
    title = f"Without {trial.name} the answer " + ("turns" if trial.turns else "stays the same")
    small = abs(trial.nats) < NOTHING_NATS
    became = "stayed as likely as before" if small else f"became {times(trial.nats)}"
    nats = "" if small else f", {trial.nats:+.1f} nats".replace("-", "−")
    runs = changes.diff(trial.before.text, trial.answer) if trial.turns else []
    target = trial.target if len(trial.target) <= 90 else f"{trial.target[:60]}… {trial.target[-25:]}"
    lines = [f"“{target}” {became} (measured{nats})."]
    if not rights.may_change():
        return Card(title, runs, lines)
    part = next((p.index for p in here.prompt if trial.chars == (p.chars,)), None)
    edit = [("edit-here", f"Edit {trial.name}", str(part))] if part is not None else []
    return Card(
        title,
        runs,
        lines,
        (),
        [*edit, ("keep", "Keep as a version", str(number)), ("compare", "Compare", str(number))],
    )


def _changed(
    answer: Answer, before: Answer, here: Parts, shares: Shares | None, cut: Cut, method: Method, look: Look
) -> Card:
    old, new = before.generation, answer.generation
    assert old is not None and new is not None
    moved = []
    parts = maps.parts_or_lines(old, cut.granularity, cut.pattern)
    matrix = maps.matrix(before, method, parts)
    if matrix is not None and shares is not None:
        tokens = old.tokens
        rows = target_choice.carried_over(
            answering.target(tokens.response),
            parts.response,
            tokens.response,
            tokens.prompt_chars,
            maps.parts(old, "line", None).response,
        )
        values = maps.column_scores(matrix, parts, rows, look.reduce)
        earlier = aggregate.shares(values, aggregate.countable(parts.prompt))
        moved = changes.moves(parts.prompt, earlier, here.prompt, shares, cut.unit)
    return changes.card(old.text, new.text, moved)


def buttons(
    answer: Answer, here: Parts, chosen: Sequence[int], shares: Shares | None
) -> list[tuple[str, str, str, str]]:
    """*Find the cause*, *All*; while it is measured, Stop."""
    if measuring.is_measuring(answer) or causes.is_searching(answer, here, chosen):
        return [("measure", "Stop measuring", "stop", "What is measured stays.")]
    if shares is None or answer.generation is None:
        return []
    own = [part for part in here.prompt if aggregate.countable([part])[0] and part.text.strip()]
    if len(own) < 2:
        return []
    cause = causes.found(answer, here, chosen)
    most = min(CauseSettings().candidates, len(own))
    made = []
    if cause is None or cause.verdict == "measuring":
        what = (
            f"Takes the map's {most} strongest parts out, together and one by one, "
            "then says what the answer rests on."
        )
        made.append(("measure", f"Find the cause: measure the top {most}", "top", what))
    left = len(own) - (len(cause.singles) if cause is not None else 0)
    if left > most or (cause is not None and left > 1):
        seconds = max(1, round(left * _seconds_each(answer.generation, cause)))
        made.append(
            ("measure", f"All {len(own)} · {_duration(seconds)}", "all", "Takes out each part by itself.")
        )
    return made


def _seconds_each(generation: Generation, cause: Cause | None) -> float:
    """About what taking out one part costs: as it did before, else as a few tokens of the answer did."""
    if cause is not None and cause.removals and cause.seconds:
        return cause.seconds / len(cause.removals)
    return generation.seconds * min(1.0, 4 / max(len(generation.logprob_nats), 1))


def _duration(seconds: int) -> str:
    return f"{seconds} s" if seconds < 90 else f"{round(seconds / 60)} min"
