"""*Measure on this model*: the natural prompts asked of the chosen model, its figures as they come in, kept with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.faithfulness.natural_trials import WANTED, natural_rows, share_done
from core.models import backend
from core.records import ModelSpec
from core.salience import METHODS
from core.ui.explaining.marks import of_method, of_search
from core.ui.shell import job_box, looking, problem, rights, state
from core.ui.shell.bar_table import BarSeries, bar_table
from core.ui.shell.services import owner, service
from core.ui.trust_page.natural import SEARCH, panel

if TYPE_CHECKING:
    from core.faithfulness.natural_trials import Line

JOB = "measure on this model"
POLL_SECONDS = 2.0


def draw_own_figures(spec: ModelSpec) -> None:
    """The button, its progress, and what was measured of this very model and precision here."""
    if backend(spec.backend).remote:
        st.caption("Measuring on a model needs its weights here; this one answers from a server.")
        return
    name = f"{JOB} {spec.name} {spec.precision}"
    running = job_box.is_running(name)
    lines = service().trials.lines(spec)
    done = share_done(lines) >= 1
    with st.container(horizontal=True, vertical_alignment="center", key="own-figures"):
        label = "Go on measuring" if lines else "Measure on this model"
        if not done and not running and rights.button(label, key=state.MEASURE_MODEL.name):
            job = service().trials.measure(spec, owner=f"{owner()} {JOB}", view=looking.view_on_show())
            job_box.hold_job(name, job)
            st.rerun()
        st.caption(problem.plain(_says(spec, lines, done)), width="stretch")
    job_box.draw_job(name)
    if running:
        st.fragment(_draw_panel, run_every=POLL_SECONDS)(spec)
    elif lines:
        _draw_panel(spec)


def _says(spec: ModelSpec, lines: Sequence[Line], done: bool) -> str:
    asked, counted = len(lines), sum(line["verdict"] == "verified" for line in lines)
    if not lines:
        return (
            f"Asks {spec.name} ({spec.precision}) up to {WANTED} prompts of each kind; those count that it answers as "
            "expected and no longer does once the cause is mended. It can be stopped and goes on later."
        )
    state_ = "all measured" if done else "not all measured"
    return f"{spec.name} ({spec.precision}), measured here: {counted:,} of {asked:,} prompts count; {state_}."


def _draw_panel(spec: ModelSpec) -> None:
    rows: list[dict[str, Any]] = natural_rows(service().trials.lines(spec), spec.name)
    if not rows:
        st.caption("No prompt counts so far.")
        return
    series = (*(BarSeries(m.label, of_method(m.name)) for m in METHODS), BarSeries(SEARCH, of_search()))
    panels = [panel(rows, f"{problem.plain(spec.name)}, measured here")]
    if len(rows) > 1:
        panels += [panel([row], row["label"][:1].upper() + row["label"][1:]) for row in rows]
    bar_table(
        panels,
        key=state.TRUST_OWN.name,
        about="Find the cause and the maps, measured on this model here",
        series=series,
        legend=False,
    )
