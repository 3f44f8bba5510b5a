"""The sidebar's list of all that runs or waits: what, for which page, how long, how far, and Stop for one's own.

The one place that tells the state of jobs; it looks again by itself. What other people ask is not shown, only
that they do.
"""

from __future__ import annotations

import streamlit as st

from core.jobs import Listed
from core.ui.shell import looking, problem, state
from core.ui.shell.services import owner, service

BUSY_SECONDS, IDLE_SECONDS = 1.0, 4.0
MOST = 6


def draw_job_list() -> None:
    """Draw the list in the container that is open."""
    every = BUSY_SECONDS if service().depth else IDLE_SECONDS
    st.fragment(_list, run_every=every)()


def _list() -> None:
    lines = service().jobs.listed(owner())
    if not lines:
        st.caption("Idle")
        return
    for place, line in enumerate(lines[:MOST]):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"job {place}"):
            st.caption(problem.plain(in_words(line)), width="stretch")
            if line.mine is not None:
                st.button(
                    "Stop",
                    key=state.STOP_JOB(line.mine.id).name,
                    type="tertiary",
                    on_click=line.mine.stop,
                    disabled=line.stopping,
                    help=f"Stop: {problem.plain(line.label)}",
                )
    if len(lines) > MOST:
        st.caption(f"{len(lines) - MOST:,} more")


def in_words(line: Listed) -> str:
    """One job as a sentence without an end."""
    parts = [line.label if line.mine is not None else "Somebody else's work"]
    page = looking.page_of(line.view)
    if page and line.mine is not None:
        parts.append(f"for \u201c{page}\u201d")
    if line.stopping:
        parts.append("stopping")
    elif line.state == "queued":
        ahead = line.position
        parts.append("next" if not ahead else f"waits, {ahead:,} before it")
    else:
        parts.append(duration(line.seconds))
        if line.progress:
            parts.append(f"{line.progress:.0%}")
    if line.until == "done" and line.mine is not None:
        parts.append("goes on when you leave")
    return " · ".join(parts)


def duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
