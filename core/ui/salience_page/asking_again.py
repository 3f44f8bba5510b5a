"""*Does it still say so?* under Details: each part out, the model asked again. For models that give text alone, too.

Cost is told before it starts; blocks first where there are many parts. What it found is a filter, no ranking
(`core.still_says`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import AppError
from core.records import Segment
from core.service.causes import asked_parts
from core.still_says import StillSays
from core.ui.asking import conversation
from core.ui.asking.answering import Answer
from core.ui.explaining import locks
from core.ui.explaining.maps import Parts
from core.ui.shell import looking, problem, state
from core.ui.shell.services import owner, service

if TYPE_CHECKING:
    from core.jobs import Job

ALL = 12
"""Up to so many parts each is asked about at once."""
Group = tuple[int, ...]


def _key(answer: Answer, here: Parts, chosen: Sequence[int]) -> str:
    return f"{answer.key} {sorted(set(chosen))} {len(here.prompt)} {locks.locked_parts(here.prompt)}"


def _job(answer: Answer, here: Parts, chosen: Sequence[int]) -> Job[StillSays] | None:
    return state.ASKED_AGAIN.get({}).get(_key(answer, here, chosen))


def busy(answer: Answer) -> bool:
    """Whether this answer's model is being asked again."""
    held = state.ASKED_AGAIN.get({})
    return any(name.startswith(f"{answer.key} ") and not job.finished for name, job in held.items())


def groups(parts: int) -> list[Group]:
    """What is taken out together: each part, and before them, where there are many, blocks of neighbours."""
    single: list[Group] = [(index,) for index in range(parts)]
    if parts <= ALL:
        return single
    size = math.isqrt(parts - 1) + 1
    blocks = [tuple(range(at, min(at + size, parts))) for at in range(0, parts, size)]
    return [*(block for block in blocks if len(block) > 1), *single]


def _start(answer: Answer, here: Parts, chosen: Sequence[int]) -> None:
    generation = answer.generation
    assert generation is not None
    free = _free(here)
    without = {
        group: conversation.without(answer.sent, generation.tokens, tuple(free[i].chars for i in group))
        for group in groups(len(free))
    }
    words = "".join(here.response[i].text for i in sorted(set(chosen)))
    try:
        job = service().answers.ask_again(
            generation,
            words,
            without,
            len(free),
            answer.spec,
            answer.params,
            owner=owner(),
            view=looking.view_on_show(),
        )
    except AppError as fault:
        problem.show_error(fault)
        return
    state.ASKED_AGAIN.set({**state.ASKED_AGAIN.get({}), _key(answer, here, chosen): job})


def _free(here: Parts) -> list[Segment]:
    """The parts that may be taken out."""
    own = asked_parts(here.prompt)
    locked = locks.locked_parts(here.prompt)
    return [part for place, part in enumerate(own) if place not in locked and part.text.strip()]


def draw_asking_again(
    answer: Answer, here: Parts, chosen: Sequence[int], names: Sequence[str], unit: str
) -> None:
    """The price and the button, the progress with Stop, or what was found."""
    free = _free(here)
    if not free or not chosen:
        st.caption("Nothing of this prompt can be taken out.")
        return
    job = _job(answer, here, chosen)
    if job is not None and not job.finished:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(job.progress or 0.0, text=job.message or "Asking again")
            st.button("Stop", key=state.STOP_ASKING.name, on_click=job.stop, disabled=job.stopping)
    found = None if job is None else job.result or job.partial
    if job is None or (job.finished and job.result is None):
        if job is not None and job.state == "failed" and job.error is not None:
            problem.show_error(job.error)
        asked = groups(len(free))
        blocks = sum(len(group) > 1 for group in asked)
        price = f"{len(free):,} answer{'s' * (len(free) > 1)}"
        if blocks:
            price = f"{blocks:,} to {len(asked):,} answers, blocks first"
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(
                f"Takes each {unit} out and asks again: are the chosen words gone? {price}; what was asked before "
                "costs nothing."
            )
            st.button(
                "Ask again without each",
                key=state.ASK_AGAIN.name,
                on_click=_start,
                args=(answer, here, chosen),
            )
    if found is not None and found.asked:
        st.markdown(f"**{problem.plain(found.sentence(unit))}**")
        st.dataframe(
            {
                "Where": [names[free[one.part].index] for one in found.asked],
                "Without it": [
                    "the words are gone" if one.changes else "still says so" for one in found.asked
                ],
                "How unlike the answer is": [one.unlike for one in found.asked],
                "Part of the prompt": [free[one.part].text.strip() for one in found.asked],
            },
            hide_index=True,
            column_config={"How unlike the answer is": st.column_config.NumberColumn(format="percent")},
        )
        st.caption(
            "One answer changes for two or three harmless parts as well: this tells what cannot be the cause, and "
            "names no culprit."
        )
