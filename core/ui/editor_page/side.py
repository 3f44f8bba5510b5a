"""Beside the form: what changed against the version it came from, the family tree, and the newest answer."""

from __future__ import annotations

import streamlit as st

from core.compare import word_diff
from core.errors import AppError
from core.records import Example
from core.ui.asking import answering
from core.ui.asking.answering import Answer
from core.ui.editor_page.form import Draft
from core.ui.salience_text import salience_text
from core.ui.shell import diff, library, problem

POLL_SECONDS = 0.25


def draw(example: Example, draft: Draft, answer: Answer | None) -> None:
    """Draw the three parts, the answer first once there is one."""
    busy = answer is not None and answer.writing
    if answer is not None:
        st.fragment(_answer, run_every=POLL_SECONDS if busy else None)(answer)
        if not busy and st.button("See why", help="Opens “Why this answer?” on this answer."):
            st.switch_page("pages/salience.py")
    changes, family = st.tabs(["Changes", "Versions"])
    with changes:
        _changes(example, draft)
    with family:
        _family(example)


def _answer(answer: Answer) -> None:
    if answer.settle():
        st.rerun()
    if answer.error is not None:
        problem.show(answer.error)
        return
    generation, job = answer.generation, answer.job
    written = generation.text if generation is not None else (job.partial if job is not None else "")
    salience_text(
        key="editor-answer",
        stream=written or "",
        writing=generation is None,
        note=answering.facts(generation) if generation is not None else "Writing",
        show=("response",),
        height=None,
    )
    if generation is None and job is not None:
        st.button("Stop", key="editor stop", on_click=job.stop)


def _changes(example: Example, draft: Draft) -> None:
    here = library.workspace()
    unsaved = draft.prompt != example.prompt
    before = example
    if not unsaved and example.parent_id:
        try:
            before = here.example(example.parent_id)
        except AppError:
            before = example
    runs = word_diff(before.prompt, draft.prompt)
    if all(run.change == "kept" for run in runs):
        st.caption("Nothing is changed. What you change in the prompt is marked here, word by word.")
        return
    against = "what is kept" if unsaved else "the version it came from"
    st.caption(
        f"Against {against}, {problem.plain(before.id)}: new words underlined, old ones struck through."
    )
    diff.draw(runs)


def _family(example: Example) -> None:
    members = library.workspace().lineage(example.id)
    if len(members) == 1:
        st.caption("This is the only version so far. Add keeps your change as a new one.")
    depth: dict[str, int] = {}
    for member in members:
        depth[member.id] = depth.get(member.parent_id or "", -1) + 1
        here = member.id == example.id
        with st.container(
            horizontal=True, gap="small", vertical_alignment="center", key=f"version-{member.id}"
        ):
            if depth[member.id]:
                st.markdown("&nbsp;" * 5 * (depth[member.id] - 1) + "└", width="content")
            st.button(
                problem.plain(member.id),
                key=f"open version {member.id}",
                type="tertiary",
                disabled=here,
                on_click=library.open_example,
                args=(member.id,),
            )
            words = "open now" if here else member.edit
            if words:
                st.caption(problem.plain(words), width="content")
