"""The right side of the Salience page: the answer, its strongest reasons, and the prompt in colour.

Drawn in a fragment, so that a click on the answer redraws this part alone; while a job is under way the
fragment looks again a few times a second.
"""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import aggregate
from core.salience import Method
from core.ui.asking import answering, target_choice
from core.ui.asking.answering import Answer
from core.ui.explaining import controls, maps
from core.ui.explaining.controls import Cut
from core.ui.salience_page import below_map, downloads, what_if
from core.ui.salience_text import ACTIONS, choice, salience_text
from core.ui.shell import problem

POLL_SECONDS = 0.25
KEY = "salience-text"
HEIGHT = 560


def draw(answer: Answer | None) -> None:
    """Draw everything that depends on the answer; `None`: the model has not been asked yet."""
    busy = _busy(answer)
    st.fragment(_view, run_every=POLL_SECONDS if busy else None)(answer, busy)


def _busy(answer: Answer | None) -> bool:
    return answer is not None and (answer.writing or _map_missing(answer) or what_if.busy(answer))


def _map_missing(answer: Answer) -> bool:
    """Whether the map of what the controls say has yet to come."""
    if answer.generation is None:
        return False
    cut, method = controls.cut(), controls.method()
    here = maps.parts_or_lines(answer.generation, cut.granularity, cut.pattern)
    return maps.matrix(answer, method, here) is None and not maps.failed(answer, method, here)


def _view(answer: Answer | None, polling: bool) -> None:
    written = answer is not None and answer.settle()
    if written or _busy(answer) != polling:
        # Run is free again, and whether the fragment looks again by itself is settled, with the whole page.
        st.rerun()
    corner = _controls()
    if answer is None:
        salience_text(key=KEY, empty="No answer of this model to this prompt yet. Press Run.", height=HEIGHT)
    elif answer.writing:
        _writing(answer)
    elif answer.generation is None:
        if answer.error is not None:
            problem.show(answer.error)
    else:
        _explained(answer, controls.cut(), controls.method(), corner)


def _controls() -> DeltaGenerator:
    """Draw them. Returns a place beside them for what comes last."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="salience-controls"):
        controls.draw()
        return st.empty()


def _writing(answer: Answer) -> None:
    job = answer.job
    assert job is not None
    waiting = job.state == "queued"
    note = f"Waiting, {job.position} before this one" if waiting else (job.message or "Writing")
    salience_text(key=KEY, stream=job.partial or "", note=f"{note}, {job.seconds:.1f} s", height=HEIGHT)
    st.button("Stop", key="stop", on_click=job.stop)


def _explained(answer: Answer, cut: Cut, method: Method, corner: DeltaGenerator) -> None:
    generation = answer.generation
    assert generation is not None
    here = maps.parts_or_lines(generation, cut.granularity, cut.pattern, tell=True)
    offset = generation.tokens.prompt_chars
    response = generation.tokens.response
    chosen = target_choice.keep(answering.target(response), here.response, response, offset)
    look = controls.look()
    reduce = look.reduce
    found = maps.matrix(answer, method, here)
    held = None
    if found is None:
        held = maps.job(answer, method, here, maps.span_of(chosen, here.response))
        found = held.result

    def on_select() -> None:
        picked = choice(KEY)
        if picked is not None:
            answering.choose_target(target_choice.of(picked.indices, here.response, response, offset))

    def on_action() -> None:
        picked = choice(KEY)
        if picked is not None and picked.action is not None and found is not None:
            parts = aggregate.shares(
                maps.column_scores(found, here, chosen, reduce), aggregate.countable(here.prompt)
            )
            part = picked.action.segment
            what_if.pick(answer, picked.action.name, here.prompt[part], float(parts[part]), chosen, here)

    salience_text(
        key=KEY,
        prompt_segments=here.prompt,
        response_segments=here.response,
        scores=(
            maps.scores_of(found, here, chosen, reduce)
            if found is not None
            else maps.scores_so_far(answer, method, held, here, chosen, reduce)
        ),
        selected=chosen,
        signed=method.signed,
        style=look.style,
        strength=look.strength,
        unit=cut.unit,
        units=method.units,
        note=answering.facts(generation),
        actions=tuple(ACTIONS) if found is not None else (),
        height=HEIGHT,
        on_select=on_select,
        on_action=on_action,
    )
    if found is None and held is not None:
        if held.state == "failed" and held.error is not None:
            problem.show(held.error)
        elif not held.finished:
            st.progress(held.progress or 0.0, text=held.message or "Looking at the prompt")
        return
    assert found is not None
    if found.note:
        st.caption(problem.plain(found.note))
    with corner:
        downloads.draw(answer, found, here, chosen, method, cut.granularity, reduce)
    what_if.draw(answer, chosen, here)
    below_map.draw(generation, found, here, chosen, method, reduce)
