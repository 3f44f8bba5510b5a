"""*What does it need?* under Details: the smallest parts that keep the chosen words, the smallest that turn them.

Cost is told before it starts; Stop works within one reading. `core.improve.minimal_sets` says what is proved.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.cause import CauseRequest
from core.errors import AppError
from core.improve.minimal_sets import MinimalSet, MinimalSets
from core.records import Segment
from core.service.causes import asked_parts
from core.ui.asking.answering import Answer
from core.ui.explaining import locks
from core.ui.explaining.maps import Parts
from core.ui.shell import looking, problem, state
from core.ui.shell.services import owner, service

if TYPE_CHECKING:
    from core.jobs import Job

PROOFS = {
    "smallest": "No smaller set does it: all that could were tried.",
    "one less fails": "None of them can be spared; a smaller set of quite other parts may exist.",
}


def draw_needed(
    answer: Answer,
    here: Parts,
    chosen: Sequence[int],
    values: NDArray[np.float32] | None,
    names: Sequence[str],
    unit: str,
) -> None:
    """The price and the button, the progress with Stop, or what was found; `values` (parts,) propose the order."""
    request = _request(answer, here, chosen)
    if request is None or not request.free:
        st.caption("Nothing of this prompt can be taken out.")
        return
    job = state.NEEDED.get({}).get(request.key)
    if job is not None and not job.finished:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(job.progress or 0.0, text=job.message or "Starting")
            st.button("Stop", key=state.STOP_NEEDED.name, on_click=job.stop, disabled=job.stopping)
        return
    if job is None or job.result is None:
        if job is not None and job.state == "failed" and job.error is not None:
            problem.show_error(job.error)
        _offer(answer, here, request, values, unit)
        return
    _draw_found(job.result, request, here, names, unit)


def busy() -> bool:
    """Whether this is being measured for an answer of this session."""
    return any(not job.finished for job in state.NEEDED.get({}).values())


def _request(answer: Answer, here: Parts, chosen: Sequence[int]) -> CauseRequest | None:
    if answer.generation is None or not chosen:
        return None
    try:
        return service().causes.request(
            answer.generation.tokens,
            answer.spec,
            [here.response[i].tokens for i in sorted(set(chosen))],
            here.prompt,
            locked=locks.locked_parts(here.prompt),
        )
    except AppError:
        return None


def _offer(
    answer: Answer, here: Parts, request: CauseRequest, values: NDArray[np.float32] | None, unit: str
) -> None:
    free = len(request.free)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"Which {unit}s alone keep the chosen words, and which must go for the model to choose others? Reads the "
            f"prompt with {unit}s taken out, about {2 * free:,} to {6 * free:,} times; it writes nothing."
        )
        st.button(
            "Find what it needs",
            key=state.FIND_NEEDED.name,
            on_click=_start,
            args=(answer, here, request, values),
        )


def _start(answer: Answer, here: Parts, request: CauseRequest, values: NDArray[np.float32] | None) -> None:
    assert answer.generation is not None
    own = asked_parts(here.prompt)
    order = None
    if values is not None:
        order = sorted(request.free, key=lambda index: -abs(float(values[own[index].index])))
    try:
        job: Job[MinimalSets] = service().improving.needs(
            request, answer.generation.tokens, order, owner=owner(), view=looking.view_on_show()
        )
    except AppError as fault:
        problem.show_error(fault)
        return
    state.NEEDED.set({**state.NEEDED.get({}), request.key: job})


def _draw_found(
    found: MinimalSets, request: CauseRequest, here: Parts, names: Sequence[str], unit: str
) -> None:
    own = asked_parts(here.prompt)
    locked = f" Locked {unit}s, as the question or cue at the end, always stay." if request.locked else ""
    if found.keeps.parts:
        count = len(found.keeps.parts)
        st.markdown(
            f"**{count:,} of {found.parts:,} {unit}s {'is' if count == 1 else 'are'} enough: with "
            f"{'it' if count == 1 else 'them'} alone the model still chooses these words.**"
        )
        _table(found.keeps, own, names)
    else:
        st.markdown(
            f"**None of these {unit}s is needed: the model chooses these words without all of them.**"
        )
    if found.turns is None:
        st.markdown(f"**No {unit}s were found without which it chooses other words.**")
    else:
        count = len(found.turns.parts)
        st.markdown(f"**Without {'this one' if count == 1 else f'these {count:,}'} it chooses other words.**")
        _table(found.turns, own, names)
    st.caption(
        f"Measured with {found.asked:,} readings of the prompt with {unit}s taken out; the answer up to the chosen "
        f"words stays as it is.{locked}"
    )


def _table(one: MinimalSet, own: Sequence[Segment], names: Sequence[str]) -> None:
    parts = [own[index] for index in one.parts]
    st.dataframe(
        {
            "Where": [names[part.index] for part in parts],
            "Part of the prompt": [part.text.strip() for part in parts],
        },
        hide_index=True,
        height="content",
        column_config={
            "Where": st.column_config.TextColumn(width="small"),
            "Part of the prompt": st.column_config.TextColumn(width="large"),
        },
    )
    st.caption(PROOFS[one.proof])
