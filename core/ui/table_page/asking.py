"""A table's jobs: one for each model, started, gone on with where they stopped, and shown while they run."""

from __future__ import annotations

import json

import streamlit as st

from core.errors import AppError
from core.prompt_table import PromptTable
from core.runs import AskTable, runner
from core.store.kept_tables import KeptTable
from core.ui.shell import job_box, library, problem, rights
from core.ui.shell.services import owner, service


def start(table: KeptTable) -> None:
    """Ask every model what is not answered yet."""
    here = library.workspace()
    rows, plan = here.tables.rows(table.plan), json.dumps(table.plan.to_json())
    for at, who in enumerate(table.plan.answerers):
        task = AskTable(table.id, plan, at, service().settings.batch_size)
        name = _name(table, at)
        try:
            job = runner(service()).run(task, rows, who.spec, workspace=here, owner=f"{owner()} {name}")
        except AppError as error:
            problem.show_error(error)
            continue
        job_box.hold_job(name, job)


def draw_jobs(table: KeptTable) -> bool:
    """Show what runs. Returns whether anything does."""
    drawn = [job_box.draw_job(_name(table, at)) for at in range(len(table.plan.answerers))]
    return any(drawn)


def is_asked(table: KeptTable) -> bool:
    """Whether a job of this browser is at it."""
    return any(job_box.is_running(_name(table, at)) for at in range(len(table.plan.answerers)))


def offer_the_rest(table: KeptTable, made: PromptTable) -> None:
    """What is not answered yet, and *Go on*: after Stop, a closed page or a killed process."""
    left = made.outcomes.size - made.answered
    if not left:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{made.answered:,} of {made.outcomes.size:,} answers are there.", width="content")
        if rights.button(f"Go on with {left:,}", type="primary"):
            start(table)
            st.rerun()


def _name(table: KeptTable, at: int) -> str:
    return f"table {table.id} {at}"
