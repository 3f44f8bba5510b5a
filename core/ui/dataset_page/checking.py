"""What answers are checked for: the conditions of the dataset, a form for another, and checking all answers.

Few answers are checked at once; many by a press of the button, as a job. What a judge has to read costs model calls
and is asked only by its own button.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.checks import CHECKS, Condition, as_checked, to_json
from core.checks import check as by_name
from core.checks.function import offered
from core.datasets.cells import text_paths
from core.errors import AppError
from core.records import Example
from core.runs import measured, runner
from core.store.marks import DatasetChecks
from core.ui.asking import verdicts
from core.ui.asking.answerers import System, desk
from core.ui.dataset_page import findings
from core.ui.dataset_page.grid import counted
from core.ui.shell import forms, job_box, problem, rights, state
from core.ui.shell.model_list import catalog
from core.ui.shell.services import owner, service

if TYPE_CHECKING:
    from core.store.dataset_list import Dataset
    from core.store.workspace import Workspace

JOB = "dataset checks"
AT_ONCE = 500
WAIT_SECONDS = 8.0
MOST_LOOKED_AT = 2000


def draw_checks_menu(workspace: Workspace, dataset: Dataset) -> None:
    """The menu *Checks*, its progress, and what is left to check."""
    kept = workspace.marks.checks(dataset.id)
    asked = verdicts.conditions(workspace, dataset.id)
    label = f"Checks ({len(asked)})" if asked else "Checks"
    with st.popover(label, help="What makes an answer right here?"):
        _listed(workspace, dataset, asked, kept)
        _another(workspace, dataset, asked, kept)
        _columns(workspace, dataset, kept)


def progress(workspace: Workspace, dataset: Dataset) -> None:
    """Check what can be checked at once, and offer the rest."""
    asked = verdicts.conditions(workspace, dataset.id)
    if not asked or job_box.draw_job(JOB):
        return
    examples = workspace.examples.of(dataset.id)
    for system in findings.systems(workspace, dataset):
        try:
            _one(workspace, dataset, system, examples, asked)
        except AppError as error:
            problem.show_error(error)


def _one(
    workspace: Workspace,
    dataset: Dataset,
    system: System,
    examples: list[Example],
    asked: tuple[Condition, ...],
) -> None:
    rows, unjudged = verdicts.rows_of(system, examples, dataset.id, asked)
    answered = [row for row in rows if row.response is not None]
    if not answered:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        for key, questions in unjudged.items():
            said = f"{system.label}: the judge has not read {counted(len(questions))}."
            st.caption(problem.plain(said), width="content")
            if rights.button(
                f"Ask the judge about {counted(len(questions))}", key=state.ASK_JUDGE(system.label, key).name
            ):
                _hold(partial(verdicts.ask_judge, key, questions, dataset.id))
    task = verdicts.scoring(dataset.id, system, asked)
    if measured(task, rows, desk(system)) is not None:
        return
    if not rights.may_change():
        st.caption(problem.plain(f"{system.label}: not all of its answers are checked yet."))
        return

    def start() -> Any:
        return runner(service()).run(
            task, examples, system.spec, workspace=workspace, owner=f"{owner()} checks {system.label}"
        )

    if len(answered) <= AT_ONCE:
        start().wait(WAIT_SECONDS)
        if measured(task, rows, desk(system)) is not None:
            st.rerun()
    elif rights.button(
        f"Check {counted(len(answered))} of {problem.plain(system.label)}",
        key=state.CHECK_NOW(system.label).name,
    ):
        _hold(start)


def _hold(start: Any) -> None:
    try:
        job_box.hold_job(JOB, start())
    except AppError as error:
        problem.show_error(error)
        return
    st.rerun()


def _listed(
    workspace: Workspace, dataset: Dataset, asked: tuple[Condition, ...], kept: DatasetChecks
) -> None:
    if not asked:
        st.caption("Nothing is checked yet. An answer is right when all checks say so.")
    for place, one in enumerate(asked):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(problem.plain(one.in_words))
            if rights.button("Remove", key=state.REMOVE_CHECK(one.key).name, type="tertiary"):
                _keep(workspace, dataset, asked[:place] + asked[place + 1 :], kept.answer_columns)


def _another(
    workspace: Workspace, dataset: Dataset, asked: tuple[Condition, ...], kept: DatasetChecks
) -> None:
    hosted = service().settings.mode == "hosted"
    functions = () if hosted else offered()
    members = [member for member in CHECKS if not member.local_only or functions]
    labels = {member.name: member.label for member in members}
    st.divider()
    name = st.selectbox("Check", list(labels), format_func=labels.__getitem__, key=state.CHECK_KIND.name)
    member = by_name(name or members[0].name)
    st.caption(member.description)
    options = forms.ask_options(f"check {member.name}", member.fields)
    if member.asks_model:
        options["model"] = (
            st.selectbox("Judge", [spec.name for spec in catalog().specs()], key=state.CHECK_JUDGE.name) or ""
        )
    if functions and member.local_only:
        st.caption(f"Installed: {problem.plain(', '.join(functions))}")
    turned = st.checkbox("The answer must not be so", key=state.CHECK_NEGATED.name)
    if rights.button("Add", key=state.ADD_CHECK.name, type="primary"):
        try:
            made = as_checked(member.name, options, negated=turned, hosted=hosted)
        except AppError as error:
            problem.show_error(error)
            return
        if made.key not in [one.key for one in asked]:
            _keep(workspace, dataset, (*asked, made), kept.answer_columns)


def _columns(workspace: Workspace, dataset: Dataset, kept: DatasetChecks) -> None:
    paths = text_paths(workspace.examples.of(dataset.id, limit=MOST_LOOKED_AT))
    if not paths:
        return
    chosen = st.multiselect(
        "Also check the answers in columns",
        list(dict.fromkeys([*kept.answer_columns, *paths])),
        list(kept.answer_columns),
        key=state.CHECK_COLUMNS(dataset.id, len(kept.answer_columns)).name,
        help="Columns of the file in which other systems' answers stand.",
        disabled=rights.read_only(),
    )
    if rights.may_change() and tuple(chosen) != kept.answer_columns:
        _keep(workspace, dataset, verdicts.conditions(workspace, dataset.id), tuple(chosen))


def _keep(
    workspace: Workspace, dataset: Dataset, asked: tuple[Condition, ...], columns: tuple[str, ...]
) -> None:
    workspace.marks.save_checks(dataset.id, DatasetChecks(tuple(to_json(asked)), columns))
    st.rerun()
