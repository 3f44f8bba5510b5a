"""What both comparison pages show: answers, how likely each is to each, and where they came from.

Drawn in fragments: while answers are written the page looks again a few times a second; after that only a
line about what is still being done does, and the rest is drawn again when there is something new.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from core.ui.compare_page import answers, likely, reasons
from core.ui.compare_page.run import SideBySide
from core.ui.explaining import controls
from core.ui.shell import problem, state

if TYPE_CHECKING:
    from core.jobs import Job

POLL_SECONDS = 0.3


def draw_comparison(comparison: SideBySide) -> None:
    """Draw everything that depends on the answers."""
    comparison.step(controls.method(), controls.cut())
    watched = comparison.answered and bool(comparison.jobs())
    st.fragment(_view, run_every=None if comparison.answered else POLL_SECONDS)(
        comparison, comparison.answered, watched
    )
    if watched:
        st.fragment(_progress, run_every=POLL_SECONDS)(comparison, comparison.finished_pieces)


def _view(comparison: SideBySide, answered: bool, watched: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="salience-controls"):
        controls.draw_map_controls()
    method, cut = controls.method(), controls.cut()
    before = comparison.finished_pieces
    comparison.step(method, cut)
    news = comparison.finished_pieces != before or (comparison.jobs() and not watched)
    if comparison.answered != answered or (answered and news):
        st.rerun()
    head = st.container(key="verdict")
    here = answers.draw_answers(comparison, cut)
    found = reasons.find_reasons(comparison, here, method, cut, controls.look())
    with head:
        said = (
            reasons.verdict(comparison, here, found) if comparison.answered else "Waiting for the answers …"
        )
        st.markdown(f"#### {problem.plain(said)}")
    if not comparison.answered:
        _working(comparison, comparison.jobs())
        return
    reasons.draw_parts(comparison, here, found, method, cut)
    with st.expander(
        "Details: the prompt in colour, likelihoods", key=state.COMPARE_DETAILS.name, on_change="rerun"
    ) as opened:
        if opened.open:
            reasons.draw_maps(comparison, here, found, method, cut, controls.look())
            likely.draw_likelihoods(comparison)


def _progress(comparison: SideBySide, finished: int) -> None:
    comparison.step(controls.method(), controls.cut())
    jobs = comparison.jobs()
    if comparison.finished_pieces != finished or not jobs:
        st.rerun()
    _working(comparison, jobs)


def _working(comparison: SideBySide, jobs: list[Job[Any]]) -> None:
    if not jobs:
        return
    first = next((job for job in jobs if job.state == "running"), jobs[0])
    with st.container(horizontal=True, vertical_alignment="center"):
        waiting = f", {len(jobs) - 1} more to do" if len(jobs) > 1 else ""
        otherwise = "Starting" if first.state == "running" else "Waiting for its turn"
        st.caption(f"{first.message or otherwise}{waiting}.")
        st.button("Stop", key=state.STOP_COMPARISON.name, on_click=comparison.stop)
