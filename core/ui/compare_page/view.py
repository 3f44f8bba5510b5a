"""What both comparison pages show: answers, how likely each is to each, and where they came from.

Drawn in fragments: while answers are written the page looks again a few times a second; after that only a
line about what is still being done does, and the rest is drawn again when there is something new.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.salience import METHODS, Method
from core.segments import GRANULARITIES, Granularity
from core.ui.compare_page import answers, likely, reasons
from core.ui.compare_page.run import Comparison

if TYPE_CHECKING:
    from core.jobs import Job

POLL_SECONDS = 0.3
UNITS = [g.name for g in GRANULARITIES if g.name != "custom"]


def draw(comparison: Comparison) -> None:
    """Draw everything that depends on the answers."""
    comparison.step(_method(), _granularity())
    watched = comparison.answered and bool(comparison.jobs())
    st.fragment(_view, run_every=None if comparison.answered else POLL_SECONDS)(
        comparison, comparison.answered, watched
    )
    if watched:
        st.fragment(_progress, run_every=POLL_SECONDS)(comparison, comparison.finished_pieces)


def _said(key: str, members: Sequence[Granularity | Method]) -> str | None:
    """What a menu says, or the link (by its label), before the menu has been drawn for the first time."""
    if key in st.session_state:
        return str(st.session_state[key])
    label = st.query_params.get(key)
    return next((member.name for member in members if member.label == label), None)


def _granularity() -> str:
    name = _said("granularity", GRANULARITIES)
    return name if name is not None and name in UNITS else "line"


def _method() -> Method:
    name = _said("method", METHODS)
    return next((m for m in METHODS if m.name == name), METHODS[0])


def _view(comparison: Comparison, answered: bool, watched: bool) -> None:
    _controls()
    before = comparison.finished_pieces
    comparison.step(_method(), _granularity())
    news = comparison.finished_pieces != before or (comparison.jobs() and not watched)
    if comparison.answered != answered or (answered and news):
        st.rerun()
    here = answers.draw(comparison, _granularity())
    if not comparison.answered:
        _working(comparison, comparison.jobs())
        return
    reasons.draw(comparison, here, _method(), _granularity())
    likely.draw(comparison)


def _progress(comparison: Comparison, finished: int) -> None:
    comparison.step(_method(), _granularity())
    jobs = comparison.jobs()
    if comparison.finished_pieces != finished or not jobs:
        st.rerun()
    _working(comparison, jobs)


def _controls() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="salience-controls"):
        st.selectbox(
            "Granularity",
            UNITS,
            index=UNITS.index("line"),
            format_func={g.name: g.label for g in GRANULARITIES}.__getitem__,
            key="granularity",
            bind="query-params",
            width=150,
        )
        st.selectbox(
            "Method",
            [m.name for m in METHODS],
            format_func={m.name: m.label for m in METHODS}.__getitem__,
            key="method",
            bind="query-params",
            width=190,
            help="  \n".join(f"**{m.label}**: {m.description}" for m in METHODS),
        )


def _working(comparison: Comparison, jobs: list[Job[Any]]) -> None:
    if not jobs:
        return
    first = next((job for job in jobs if job.state == "running"), jobs[0])
    with st.container(horizontal=True, vertical_alignment="center"):
        waiting = f", {len(jobs) - 1} more to do" if len(jobs) > 1 else ""
        otherwise = "Starting" if first.state == "running" else "Waiting for its turn"
        st.caption(f"{first.message or otherwise}{waiting}.")
        st.button("Stop", key="stop-comparison", on_click=comparison.stop)
