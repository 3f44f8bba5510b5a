"""The page that answers why, as one view: the question, the answer, the prompt and what it came from.

Drawn in a fragment, so that a click redraws this part alone; while a job is under way the fragment looks again
a few times a second. What a person presses in the browser comes as an order (`orders.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core import aggregate, target_choice
from core.cause import sentence
from core.read_turns import turns_not_read
from core.records import Example, GenerationParams, ModelSpec, SalienceMatrix
from core.salience import Method
from core.service.causes import asked_parts
from core.store.engine import LOOKS_ONLY
from core.target_choice import Target
from core.token_view.names import part_names
from core.ui.asking import answering, sending, stop_texts, versions
from core.ui.asking.answering import Answer
from core.ui.explaining import by_requests, controls, locks, maps, trust
from core.ui.explaining.controls import Cut, Look
from core.ui.explaining.maps import Parts
from core.ui.salience_page import (
    asking_again,
    cards,
    causes,
    details,
    map_progress,
    measuring,
    needed,
    orders,
    reasons,
    surface,
    tour,
)
from core.ui.salience_page.measuring import TakeOutTrial
from core.ui.salience_text import WHY, Scores, Why, choice, chosen_weights, salience_text
from core.ui.salience_text.why import ShownEffect
from core.ui.shell import looking, problem, rights, state
from core.ui.shell.model_list import title
from core.ui.shell.row_names import names_of
from core.ui.shell.services import service

POLL_SECONDS = 0.25
HEIGHT = 560
NO_MAP = "There is no map of this answer; below it says why."
TEXT_ALONE = "This model tells its words alone. Under Details it can be asked again without each part."
WAITS = "Nothing was measured yet: below it says what that costs."
LEAD = "Which part of the prompt made the model say that?"


@dataclass(frozen=True, slots=True)
class Screen:
    """What is on the screen: an answer cut into parts, the ones chosen, and its map as far as it is there."""

    answer: Answer
    here: Parts
    chosen: tuple[int, ...]
    cut: Cut
    method: Method
    look: Look
    matrix: SalienceMatrix | None
    scores: Scores
    names: tuple[str, ...]

    @property
    def values(self) -> NDArray[np.float32] | None:
        """Scores (S,) of the prompt's parts for the words chosen; None while they are not there."""
        if self.matrix is not None:
            return maps.column_scores(self.matrix, self.here, self.chosen, self.look.reduce)
        return self.scores.exact.get(tuple(sorted(self.chosen)))

    @property
    def shares(self) -> NDArray[np.float32] | None:
        values = self.values
        return None if values is None else aggregate.shares(values, aggregate.countable(self.here.prompt))


def draw_answer_and_reasons(
    example: Example, spec: ModelSpec, params: GenerationParams, answer: Answer | None
) -> None:
    """Draw everything that depends on `answer`, the one on the screen; another one draws the whole page anew."""
    looking.closer(example.id, spec.name, spec.precision)
    busy = _busy(example, spec, answer)
    st.fragment(_view, run_every=POLL_SECONDS if busy else None)(example, spec, params, answer, busy)


def _busy(example: Example, spec: ModelSpec, answer: Answer | None) -> bool:
    asked = answering.asked(example, spec)
    return (asked is not None and asked.writing) or _map_missing(answer) or _measuring(answer)


def _measuring(answer: Answer | None) -> bool:
    """Whether something is being taken out for the words chosen."""
    if answer is None or answer.generation is None:
        return False
    cut = controls.cut()
    here = maps.parts_or_lines(answer.generation, cut.granularity, cut.pattern)
    chosen = chosen_of(answer, here)
    # What a search found starts the question of what is written without it, so that comes first.
    causes.follow_up(answer, here, chosen, part_names(here.prompt, cut.unit), cut.unit)
    if needed.busy() or asking_again.busy(answer):
        return True
    return measuring.is_measuring(answer) or causes.is_searching(answer, here, chosen)


def _map_missing(answer: Answer | None) -> bool:
    """Whether the map of what the controls say has yet to come."""
    if answer is None or answer.generation is None:
        return False
    cut, method = controls.cut(), by_requests.fitting(controls.method(), answer.spec)
    here = maps.parts_or_lines(answer.generation, cut.granularity, cut.pattern)
    missing = maps.matrix(answer, method, here) is None and not maps.failed(answer, method, here)
    return missing and not by_requests.waits(answer)


def _view(
    example: Example, spec: ModelSpec, params: GenerationParams, answer: Answer | None, polling: bool
) -> None:
    if answering.settle_answer(example, spec) or orders.follow(example, spec, params):
        st.rerun()
    if _busy(example, spec, answer) != polling:
        st.rerun()  # whether the fragment looks again by itself is settled with the whole page
    asked = answering.asked(example, spec)
    if asked is not None and asked.error is not None:
        problem.show_error(asked.error)
    shown = _shown(answer) if answer is not None and answer.generation is not None else None
    why = replace(_why(example, spec, answer, asked, shown), looks=polling)
    if shown is None:
        _without_answer(why, asked)
        return
    _with_answer(why, asked, shown)
    details.draw_details(
        shown.answer,
        shown.matrix,
        shown.here,
        shown.chosen,
        shown.method,
        shown.look.reduce,
        shown.names,
        shown.cut.granularity,
    )
    map_progress.draw_map_progress(shown.answer, shown.method, shown.here)


def _shown(answer: Answer) -> Screen:
    generation = answer.generation
    assert generation is not None
    cut, look = controls.cut(), controls.look()
    method = by_requests.fitting(controls.method(), answer.spec)
    here = maps.parts_or_lines(generation, cut.granularity, cut.pattern, tell=True)
    chosen = chosen_of(answer, here)
    found = maps.matrix(answer, method, here)
    known = found is not None or by_requests.waits(answer)
    held = None if known else maps.job(answer, method, here, maps.span_of(chosen, here.response))
    scores = (
        maps.scores_of(found, here, chosen, look.reduce)
        if found is not None
        else maps.scores_so_far(answer, method, held, here, chosen, look.reduce)
    )
    names = tuple(part_names(here.prompt, cut.unit))
    # All that needs the words chosen alone works as soon as their row is there.
    found = maps.told(answer, method, here, chosen) if found is None else found
    return Screen(answer, here, chosen, cut, method, look, found, scores, names)


def chosen_of(answer: Answer, here: Parts) -> tuple[int, ...]:
    """The response's parts that are explained: the target is characters, whatever the parts are."""
    assert answer.generation is not None
    return _parts_of(answering.target(answer.generation.tokens.response), answer, here)


def default_parts(answer: Answer, here: Parts) -> tuple[int, ...]:
    """Those that are explained before anybody chose some; a second click on a chosen part leads back to them."""
    return _parts_of(None, answer, here)


def _parts_of(target: Target | None, answer: Answer, here: Parts) -> tuple[int, ...]:
    generation = answer.generation
    assert generation is not None
    tokens = generation.tokens
    lines = maps.parts(generation, "line", None).response
    return target_choice.carried_over(
        target, here.response, tokens.response, tokens.prompt_chars, lines, ends=tail_of(answer)
    )


def tail_of(answer: Answer) -> int | None:
    """Where in the response the next example begins; None where it does not."""
    assert answer.generation is not None
    sent = surface.text_of(answer.sent)
    return stop_texts.tail(answer.generation.tokens.response, sent)


def _why(
    example: Example, spec: ModelSpec, answer: Answer | None, asked: Answer | None, shown: Screen | None
) -> Why:
    """Everything beside the map."""
    over = surface.surface_of(example, answer)
    writing = asked is not None and asked.writing
    generation = answer.generation if answer is not None else None
    waiting = shown is not None and shown.values is None
    info = service().info(spec) or {}
    why = Why(
        key=over.key,
        text=over.text,
        kept=over.kept,
        fresh=over.fresh,
        ran=over.ran,
        span=over.span,
        first_line=over.first_line,
        locked="" if rights.may_change() else LOOKS_ONLY,
        hint="bars and colour: share of the influence on the marked words",
        tokens=generation.tokens.prompt_len if generation is not None else None,
        limit=info.get("context") or details.context(spec),
        asked=surface.text_of(asked.sent) if writing and asked is not None else None,
        running=writing,
        stopping=bool(asked and asked.job and asked.job.stopping),
        progress=_progress(asked) if writing and asked is not None else "",
        notices=_notices(example, answer) if rights.may_change() else [],
        lead=LEAD,
        sentence="Press Run, and the answer appears here with its reasons."
        if not writing
        else "The model is asked.",
        stale=writing or (waiting and answer is not None and answer.before is not None),
    )
    return why if shown is None else _explained(why, shown, example)


def _explained(why: Why, shown: Screen, example: Example) -> Why:
    """With what is known of the reasons for the words chosen."""
    answer, generation = shown.answer, shown.answer.generation
    assert generation is not None
    rows = measuring.rows_of(answer, shown.here, shown.chosen)
    trials = measuring.measured_effects(answer, shown.here, shown.chosen)
    shares = shown.shares
    said = _verdict(shown, trials)
    finer = controls.finer(shown.cut)
    whole, own = "", []
    if shown.matrix is not None:
        weights = chosen_weights(shown.matrix, shown.here.response, shown.chosen)
        scores = aggregate.select(shown.matrix, weights)
        whole = reasons.whole(scores, generation.tokens, rows)
        keep = aggregate.countable(shown.here.prompt)
        values = aggregate.column_scores(scores, shown.here.prompt, "sum")
        own = reasons.own_shares(
            scores, shown.here.response, shown.chosen, float(np.abs(values * keep).sum())
        )
    return replace(
        why,
        tour=[]
        if shares is None
        else tour.tour_steps(
            generation.text, example, shown.names, shares.tolist(), [p.text for p in shown.here.prompt]
        ),
        tour_again=tour.again(),
        list_title=f"Strongest {shown.cut.unit}s",
        rows=shown.chosen,
        effects=_effects(shown, trials),
        measured=said.sentence,
        agreement=said.tag,
        agrees=said.kind,
        whole=whole,
        own=own,
        finer=f"Look at it by {finer.label.lower()}" if finer is not None else "",
        locks=locks.locked_segments(shown.here.prompt),
        measure=cards.buttons(answer, shown.here, shown.chosen, shares),
        cards=cards.latest_card(
            answer, shown.here, shown.chosen, shares, shown.cut, shown.method, shown.look
        ),
    )


def _effects(shown: Screen, trials: Mapping[int, TakeOutTrial]) -> dict[int, ShownEffect]:
    """What was measured of each part: by the search for the cause, and one by one."""
    held = causes.cause_job(shown.answer, shown.here, shown.chosen)
    cause = causes.found(shown.answer, shown.here, shown.chosen)
    running = held is not None and not held.finished
    stays = dict.fromkeys(locks.locked_segments(shown.here.prompt), measuring.STAYS)
    searched = causes.effects_of_cause(cause, shown.here, running=running) if cause is not None else {}
    return {**stays, **searched, **{part: measuring.effect(trial) for part, trial in trials.items()}}


def _verdict(shown: Screen, trials: Mapping[int, TakeOutTrial]) -> reasons.Verdict:
    """The sentence: from the search for the cause where it ended, else from single parts."""
    shares = shown.shares
    if shares is None:
        if maps.failed(shown.answer, shown.method, shown.here):
            return reasons.Verdict([("", NO_MAP)])
        if by_requests.text_alone(shown.answer.spec):
            return reasons.Verdict([("", TEXT_ALONE)])
        if by_requests.waits(shown.answer):
            return reasons.Verdict([("", WAITS)])
        return reasons.Verdict([])
    cause = causes.found(shown.answer, shown.here, shown.chosen)
    if cause is None or cause.verdict == "measuring":
        return reasons.verdict(trials, shares.tolist(), shown.names)
    own = [part.index for part in asked_parts(shown.here.prompt)]
    unit, numbers = shown.cut.unit, causes.numbers(shown.here, shown.names)
    rows = measuring.rows_of(shown.answer, shown.here, shown.chosen)
    trial = measuring.found_trial(shown.answer, rows, causes.parts_of(cause, shown.here))
    return reasons.of_cause(
        cause,
        shares.tolist(),
        own,
        causes.name(cause, shown.here, shown.names, unit) if cause.parts else "",
        sentence(cause, unit, numbers),
        trial.turns if trial is not None and trial.done and trial.error is None else None,
    )


def _progress(asked: Answer) -> str:
    job = asked.job
    assert job is not None
    if job.stopping:
        return "Stopping …"
    note = f"Waiting, {job.position} before this one" if job.state == "queued" else (job.message or "Writing")
    return f"{note}, {job.seconds:.0f} s"


def _notices(example: Example, answer: Answer | None) -> list[tuple[str, str, str]]:
    """What the person should know: an answer that goes on, control tokens, a text that became its own example."""
    notices = []
    generation = answer.generation if answer is not None else None
    if answer is not None and generation is not None and tail_of(answer) is not None:
        first = stop_texts.opening(surface.text_of(answer.sent))
        notices.append(
            (
                "The answer goes on with the next example; that part is folded away and never explained unasked.",
                "stop at",
                f"Run again, to stop at “{first}”",
            )
        )
    if generation is not None and answer is not None:
        notices += [(told, "", "") for told in turns_not_read(generation.tokens, answer.sent)]
    found = surface.control_tokens(generation) if generation is not None else []
    if found:
        are = "is read as a control token" if len(found) == 1 else "are read as control tokens"
        notices.append(
            (
                f"{', '.join(found)} {are} of the model, not as text.",
                "as text",
                "Run again, sent as plain text",
            )
        )
    elif generation is not None and generation.params.as_text:
        notices.append(
            (
                "What looks like a control token was sent as plain text.",
                "as control",
                "Run again, read as control tokens",
            )
        )
    kept_apart = versions.apart(example)
    if kept_apart is not None:
        other = names_of([kept_apart])[kept_apart]
        notices.append(
            (
                f"This text has little in common with {other}, so it is an example of its own, without its target.",
                "attach",
                f"Make it a version of {other}",
            )
        )
    return notices


def _tail_part(answer: Answer, here: Parts) -> int | None:
    ends = tail_of(answer)
    if ends is None or answer.generation is None:
        return None
    start = answer.generation.tokens.prompt_chars
    return next((part.index for part in here.response if part.chars[0] - start >= ends), None)


def _callbacks(key: str) -> dict[str, object]:
    return {"on_order": lambda: orders.press(key), "on_draft": lambda: orders.typed(key)}


def _without_answer(why: Why, asked: Answer | None) -> None:
    writing = asked is not None and asked.writing
    job = asked.job if asked is not None else None
    salience_text(
        key=state.SALIENCE_TEXT.name,
        stream=(job.partial or "") if writing and job is not None else None,
        empty="No answer of this model to this prompt yet. Press Run.",
        why=why,
        show=WHY,
        height=HEIGHT,
        **_callbacks(state.SALIENCE_TEXT.name),  # type: ignore[arg-type]
    )


def _with_answer(why: Why, asked: Answer | None, shown: Screen) -> None:
    answer, here, method = shown.answer, shown.here, shown.method
    generation = answer.generation
    assert generation is not None
    said = [f"{title(answer.spec)}, {answering.facts_of_answer(generation)}"]
    if sent := sending.what_was_sent(generation, answer.sent):
        said.append(sent)
    tokens = generation.tokens
    writing = asked is not None and asked.writing
    job = asked.job if asked is not None else None

    home = default_parts(answer, here)

    def on_select() -> None:
        picked = choice(state.SALIENCE_TEXT.name)
        if picked is not None:
            chosen = target_choice.target_of(
                picked.indices, here.response, tokens.response, tokens.prompt_chars
            )
            answering.choose_target(None if picked.indices == home else chosen)

    salience_text(
        key=state.SALIENCE_TEXT.name,
        prompt_segments=here.prompt,
        response_segments=here.response,
        scores=shown.scores,
        selected=shown.chosen,
        home=home,
        stream=(job.partial or None) if writing and job is not None else None,
        signed=method.signed,
        sign_holds=method.sign_holds,
        style=shown.look.style,
        strength=shown.look.strength,
        unit=shown.cut.unit,
        units=method.units,
        note=". ".join(said),
        why=why,
        hold=writing,
        tail=_tail_part(answer, here),
        unmeasured=() if shown.matrix is None else method.unmeasured_parts(shown.matrix.request, here.prompt),
        show=WHY,
        height=HEIGHT,
        on_select=on_select,
        **_callbacks(state.SALIENCE_TEXT.name),  # type: ignore[arg-type]
    )
    if not by_requests.text_alone(answer.spec):
        trust.draw_trust(method, answer.spec, why.agreement if method.needs != "logprobs" else None)
