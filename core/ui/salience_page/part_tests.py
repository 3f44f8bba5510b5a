"""Scores from many parts taken out at once, under Details: the take-out test, Shapley values, coarse to fine.

How a part is taken out, which parts always stay in and what it costs stand before it starts (`core.part_scores`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from core.errors import AppError
from core.part_scores import WAYS, PartScores
from core.records import Segment
from core.service.causes import asked_parts
from core.ui.asking.answering import Answer
from core.ui.explaining import locks
from core.ui.explaining.maps import Parts
from core.ui.shell import forms, library, looking, problem, state
from core.ui.shell.services import owner, service

if TYPE_CHECKING:
    from core.cause import CauseRequest
    from core.jobs import Job

POLL_SECONDS = 0.5


def start_or_refuse(start: Callable[[], tuple[str, Job[PartScores]]]) -> None:
    """Hold the job that `start()` gives with its name; what is wrong with the question is said."""
    try:
        name, job = start()
    except AppError as fault:
        problem.show_error(fault)
        return
    state.PART_TESTS.set({**state.PART_TESTS.get({}), name: job})


def held_test(name: str) -> Job[PartScores] | None:
    return state.PART_TESTS.get({}).get(name)


def question_of(answer: Answer, here: Parts, spans: Sequence[tuple[int, int]]) -> CauseRequest:
    """What is asked of the parts on the screen, about the answer's tokens `spans`."""
    assert answer.generation is not None
    return service().causes.request(
        answer.generation.tokens, answer.spec, spans, here.prompt, locked=locks.locked_parts(here.prompt)
    )


def other_lines(prompt: str) -> list[str]:
    """The lines of another example of the open dataset; none where there is no other."""
    for example in library.examples().values():
        if example.prompt.strip() and example.prompt.strip() not in prompt:
            return [line for line in example.prompt.splitlines() if line.strip()]
    return []


def draw_locks(here: Parts, names: Sequence[str], key: str = "tests") -> None:
    """Which parts always stay in, to choose by a click."""
    own = asked_parts(here.prompt)
    now = list(locks.locked_parts(here.prompt))
    box = state.LOCKED_BOX("".join(part.text for part in own)[:40], f"{now} {key}")

    def changed() -> None:
        locks.lock_parts(here.prompt, box.get([]))

    st.multiselect(
        "Always stays in",
        range(len(own)),
        now,
        format_func=lambda index: f"{names[own[index].index]}: {' '.join(own[index].text.split())[:40]}",
        key=box.name,
        on_change=changed,
        help="Proposed is the question or the cue at the end: without it there is nothing to answer.",
    )


def draw_part_tests(
    answer: Answer, here: Parts, chosen: Sequence[int], names: Sequence[str], unit: str
) -> None:
    """The choice of a way with its price, the progress with Stop, or the scores."""
    generation = answer.generation
    if generation is None or not chosen or len(asked_parts(here.prompt)) < 2:
        st.caption("There are no two parts here, so there is nothing to take out.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Way",
            [way.name for way in WAYS],
            format_func={way.name: way.label for way in WAYS}.__getitem__,
            key=state.PART_WAY.name,
            persist_state="session",
            width=190,
        )
        way = next(one for one in WAYS if one.name == name)
        with st.popover("How"):
            forms.ask_options(f"part test {way.name}", way.options)
            draw_locks(here, names)
        options = forms.given(f"part test {way.name}", way.options)
        request = question_of(answer, here, [here.response[i].tokens for i in sorted(set(chosen))])
        lines = other_lines(generation.tokens.text) if options["how"] == "other" else []
        kept = f"{answer.key} {way.name} {sorted(options.items())} {request.key}"
        job = held_test(kept)
        runs = way.runs(len(request.free), dict(options))
        st.button(
            f"Measure · {runs:,} runs",
            key=state.START_PART_TEST.name,
            disabled=job is not None and not job.finished,
            on_click=start_or_refuse,
            args=(
                lambda: (
                    kept,
                    service().part_tests.score(
                        request, generation.tokens, way.name, options, lines=lines,
                        owner=owner(), view=looking.view_on_show(),
                    ),
                ),
            ),
        )  # fmt: skip
    st.caption(
        f"{way.description} A run reads from where a text first differs, so it costs a part of a pass."
    )
    found = watched(job)
    if found is not None:
        if found.sentence:
            st.markdown(f"**{problem.plain(found.sentence)}**")
        draw_scores(found, here, names, unit)


def watched(job: Job[PartScores] | None) -> PartScores | None:
    """What the job found; its progress with Stop, or why it failed."""
    if job is None:
        return None
    if not job.finished:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.fragment(_progress, run_every=POLL_SECONDS)(job)
            st.button("Stop", key=state.STOP_PART_TEST.name, on_click=job.stop, disabled=job.stopping)
        return None
    if job.error is not None:
        problem.show_error(job.error)
    return job.result


def _progress(job: Job[PartScores]) -> None:
    if job.finished:
        st.rerun()
    st.progress(job.progress or 0.0, text=job.message or "Waiting")


def draw_scores(
    found: PartScores, here: Parts, names: Sequence[str], unit: str, adds: str = "Adds (nats)"
) -> None:
    """The scores as a table, with what they cost."""
    own = asked_parts(here.prompt)
    st.dataframe(
        scores_table(found, own, names, unit, adds),
        hide_index=True,
        column_config={
            "Where": st.column_config.TextColumn(width="small"),
            f"Part of the prompt ({unit})": st.column_config.TextColumn(width="large"),
        },
    )
    missing = len(own) - len(found.order)
    has = "part has" if missing == 1 else "parts have"
    unknown = f" {missing:,} {has} no score: locked, or not looked into." if missing else ""
    st.caption(
        f"Nats: by how much a part raises the log-probability of the words. {found.runs:,} runs cost "
        f"{found.passes:.1f} passes over the whole text.{unknown}"
    )


def scores_table(
    found: PartScores, own: Sequence[Segment], names: Sequence[str], unit: str, adds: str = "Adds (nats)"
) -> dict[str, list[Any]]:
    """The scores as columns, the largest first; what has none is left out."""
    order = found.order
    table: dict[str, list[Any]] = {
        "Where": [names[own[index].index] for index in order],
        adds: np.round(found.score_nats[list(order)], 3).tolist(),
    }
    if found.low_nats is not None and found.high_nats is not None:
        table["95 % interval"] = [
            f"{found.low_nats[index]:+.2f} to {found.high_nats[index]:+.2f}".replace("-", "−")
            for index in order
        ]
    table[f"Part of the prompt ({unit})"] = [own[index].text.strip() for index in order]
    return table
