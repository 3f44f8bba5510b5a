"""A stand-in's map under Details, for a model that runs elsewhere; its first parts are checked on the real one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.errors import AppError
from core.models import backend
from core.records import ModelSpec
from core.service.causes import asked_parts
from core.service.stand_ins import StandInMap, ask_stand_in
from core.ui.asking.answering import Answer
from core.ui.explaining import controls
from core.ui.explaining.maps import Parts
from core.ui.salience_page import measuring
from core.ui.shell import looking, problem, state
from core.ui.shell.model_list import catalog, title
from core.ui.shell.services import owner, service

if TYPE_CHECKING:
    from core.jobs import Job

CHECKED = 3
"""So many of the stand-in's first parts are taken out on the model that wrote the answer."""
POLL_SECONDS = 0.5


def fits(spec: ModelSpec) -> bool:
    """Whether a stand-in makes sense: the model runs elsewhere."""
    return backend(spec.backend).remote


def draw_stand_in(answer: Answer, here: Parts, chosen: Sequence[int], names: Sequence[str]) -> None:
    """The choice of a local model, its map, and what its first parts do on the real one."""
    generation = answer.generation
    assert generation is not None
    local = [spec for spec in catalog().specs() if not fits(spec)]
    if not local or not chosen:
        st.caption("A stand-in is a model that runs on this machine; the Models page adds one.")
        return
    own = asked_parts(here.prompt)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        spec = st.selectbox("Stand-in", local, format_func=title, key=state.STAND_IN.name, width=240)
        name = f"{answer.key} {title(spec)} {sorted(chosen)} {len(own)}"
        job: Job[StandInMap] | None = state.STAND_INS.get({}).get(name)

        def start() -> None:
            tokens = generation.tokens
            words = [
                (
                    here.response[i].chars[0] - tokens.prompt_chars,
                    here.response[i].chars[1] - tokens.prompt_chars,
                )
                for i in sorted(set(chosen))
            ]
            cut = controls.cut()
            asked = ask_stand_in(
                service(), spec, answer.sent, tokens.response, words, [part.text for part in own],
                cut.granularity, cut.pattern, owner=owner(), view=looking.view_on_show(),
            )  # fmt: skip
            state.STAND_INS.set({**state.STAND_INS.get({}), name: asked})

        st.button("Explain by it", key=state.ASK_STAND_IN.name, on_click=start)
    st.caption(
        f"A model on this machine reads the same prompt and answer; its map is its own, not that of "
        f"{problem.plain(answer.spec.name)}, on which its first {CHECKED} parts are then taken out."
    )
    if job is None:
        return
    if not job.finished:
        st.fragment(_wait, run_every=POLL_SECONDS)(job)
        return
    if job.result is None:
        problem.show_error(job.error or AppError("It was stopped.", hint="Ask again."))
        return
    _draw_map(answer, here, chosen, names, job.result)


def _wait(job: Job[Any]) -> None:
    if job.finished:
        st.rerun()
    st.caption("The stand-in reads …")


def _draw_map(
    answer: Answer, here: Parts, chosen: Sequence[int], names: Sequence[str], found: StandInMap
) -> None:
    own = asked_parts(here.prompt)
    rows = measuring.rows_of(answer, here, chosen)
    trials = {index: measuring.found_trial(answer, rows, (own[index],)) for index in found.order[:CHECKED]}
    checked = {index: trial for index, trial in trials.items() if trial is not None}
    st.markdown(f"**{problem.plain(f'The map of {found.spec.name} ({found.method}), a stand-in.')}** "
                f"{problem.plain(found.sentence)}")  # fmt: skip
    if len(checked) < len(trials):
        st.button(
            f"Check its first {len(trials)} on {answer.spec.name}",
            key=state.CHECK_STAND_IN.name,
            on_click=_check,
            args=(answer, here, chosen, names, tuple(trials)),
        )
    st.dataframe(
        {
            "Where": [names[own[index].index] for index in found.order],
            "Share, stand-in": [float(found.shares[index]) for index in found.order],
            f"Taken out, {answer.spec.name}": [_outcome(checked.get(index)) for index in found.order],
            "Part of the prompt": [own[index].text.strip() for index in found.order],
        },
        hide_index=True,
        column_config={"Share, stand-in": st.column_config.NumberColumn(format="percent")},
    )


def _check(
    answer: Answer, here: Parts, chosen: Sequence[int], names: Sequence[str], parts: Sequence[int]
) -> None:
    own = asked_parts(here.prompt)
    for index in parts:
        measuring.start_trial(answer, (own[index],), names[own[index].index], here, chosen)


def _outcome(trial: measuring.TakeOutTrial | None) -> str:
    """What was measured on the real model; where it tells no probabilities, whether its answer turned."""
    if trial is None:
        return "not measured"
    if not trial.writing.finished:
        return "measuring …"
    if trial.writing.result is None:
        return "could not be measured"
    if trial.turns:
        return "answer turns"
    return measuring.effect(trial).text if trial.done and trial.error is None else "answer stays"
