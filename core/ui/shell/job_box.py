"""A long job on a page: how far it is, how long it may take, and Stop; the page redraws itself when it ends.

Jobs are kept in the session by name, so that leaving the page and coming back finds them again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.ui.shell import problem, state

if TYPE_CHECKING:
    from core.jobs import Job

POLL_SECONDS = 0.5


def hold_job(name: str, job: Job[Any]) -> None:
    """Make `job` the one that `draw_job(name)` shows."""
    state.JOB_BOX.setdefault({})[name] = job


def is_running(name: str) -> bool:
    """Whether there is a job of this name that has not ended."""
    job = state.JOB_BOX.get({}).get(name)
    return job is not None and not job.finished


def draw_job(name: str, then: Callable[[Any], None] | None = None) -> bool:
    """Show the job while it runs; once it has ended, say how, call `then(result)` and redraw the page.

    Returns whether it is still running.
    """
    held = state.JOB_BOX.get({})
    job = held.get(name)
    if job is None:
        if (said := state.JOB_SAID(name).pop()) is not None:
            st.caption(said)
        return False
    if job.finished:
        if job.state == "done":
            del held[name]
            if then is not None:
                then(job.result)
            sentence = getattr(job.result, "sentence", "")
            if sentence:
                state.JOB_SAID(name).set(sentence)
            st.rerun()
        if job.state == "stopped":
            del held[name]
        if job.error is not None:
            problem.show_error(job.error)
        return False
    st.fragment(_progress, run_every=POLL_SECONDS)(name, job)
    return True


def _progress(name: str, job: Job[Any]) -> None:
    if job.finished:
        st.rerun()
    if job.stopping:
        text = "Stopping; what is done is kept"
    elif job.state == "queued":
        text = f"Waiting, {job.position} before this one"
    else:
        text = job.message or "Starting"
        if job.eta_seconds is not None and job.progress:
            text += f", about {_duration(job.eta_seconds)} left"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(job.progress or 0.0, text=problem.plain(text))
        st.button("Stop", key=state.STOP_BOX(name).name, on_click=job.stop, disabled=job.stopping)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
