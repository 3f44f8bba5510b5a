"""What both comparison pages show: answers, how likely each is to each, and where they came from.

Drawn in a fragment, so that a click on an answer redraws this part alone; while work is under way the
fragment looks again a few times a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from core.salience import METHODS, Method
from core.segments import GRANULARITIES
from core.ui.compare_page import answers, likely, reasons
from core.ui.compare_page.run import Comparison

if TYPE_CHECKING:
    from core.jobs import Job

POLL_SECONDS = 0.3


def draw(comparison: Comparison) -> None:
    """Draw everything that depends on the answers."""
    comparison.step(_method().name)
    busy = bool(comparison.jobs()) or not comparison.answered
    st.fragment(_view, run_every=POLL_SECONDS if busy else None)(comparison, busy)


def _method() -> Method:
    name = st.session_state.get("method")
    return next((m for m in METHODS if m.name == name), METHODS[0])


def _view(comparison: Comparison, busy: bool) -> None:
    comparison.step(_method().name)
    jobs = comparison.jobs()
    if busy and not jobs and comparison.answered:
        st.rerun()
    granularity, pattern = _controls()
    here = answers.draw(comparison, granularity, pattern)
    if jobs:
        _working(comparison, jobs)
    if not comparison.answered:
        return
    reasons.draw(comparison, here, _method(), granularity)
    likely.draw(comparison)


def _controls() -> tuple[str, str | None]:
    with st.container(horizontal=True, vertical_alignment="bottom", key="salience-controls"):
        names = [g.name for g in GRANULARITIES if g.name != "custom"]
        granularity = st.selectbox(
            "Granularity",
            names,
            index=names.index("line"),
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
    return granularity, None


def _working(comparison: Comparison, jobs: list[Job[Any]]) -> None:
    first = next((job for job in jobs if job.state == "running"), jobs[0])
    with st.container(horizontal=True, vertical_alignment="center"):
        waiting = f", {len(jobs) - 1} more to do" if len(jobs) > 1 else ""
        st.caption(f"{first.message or 'Waiting for its turn'}{waiting}.")
        st.button("Stop", key="stop-comparison", on_click=comparison.stop)
