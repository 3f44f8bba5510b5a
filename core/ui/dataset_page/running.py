"""Running the model on rows: how many, which, progress and Stop; and runs that stopped half-way.

Only a press of the button starts a run. What is done is in the store row by row, so a run that was stopped,
or ended with the process, goes on from there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from core.answer_defaults import ROWS_READ, Asked
from core.errors import AppError
from core.records import GenerationParams, ModelSpec, SendAs
from core.runs import Generate, runner, under_way
from core.store import PieceOfWork, WorkList
from core.ui.asking import parameters, sending
from core.ui.dataset_page.grid import counted
from core.ui.shell import job_box, model_box, problem, rights, state
from core.ui.shell.row_names import names_of
from core.ui.shell.services import owner, service

if TYPE_CHECKING:
    from core.store.dataset_list import Dataset
    from core.store.workspace import Workspace

JOB = "dataset run"
SELECTED, SHOWN, ALL = "selected", "shown", "all"
MOST_LISTED = 5


def draw_runs(workspace: Workspace, dataset: Dataset, picked: list[str], left: list[str]) -> None:
    """The line that starts a run, its progress, and the runs that can go on."""
    counts = {SELECTED: len(picked), SHOWN: len(left), ALL: dataset.rows}
    if counts[SHOWN] == counts[ALL]:
        del counts[SHOWN]
    usual = next((name for name in counts if counts[name]), None)
    spec = model_box.chosen()
    with st.container(horizontal=True, vertical_alignment="bottom", key="dataset-run"):
        which = st.segmented_control(
            "Run the model on",
            [name for name in counts if counts[name]],
            default=usual,
            format_func=lambda name: f"{name} ({counts[name]:,})",
            key=state.DATASET_WHICH(usual).name,
        )
        way = sending.choose_sending(spec)
        asks = _first_prompts(workspace, dataset, picked or left, way)
        params = parameters.params(*asks, spec=spec)
        with st.popover("Parameters", help="They hold on every page."):
            parameters.draw_parameters(*asks, spec=spec)
        count = counts[which] if which else 0
        pressed = rights.button(
            f"Run {problem.plain(spec.name)} on {counted(count)}",
            type="primary",
            disabled=not count or job_box.is_running(JOB),
            key=state.RUN_DATASET.name,
        )
    st.caption(problem.plain(f"Each answer: {parameters.in_words(params, way)}."))
    if pressed and which:
        ids = {SELECTED: picked, SHOWN: left, ALL: None}[which]
        _start(workspace, dataset.id, ids, spec, Generate(params, way))
    if not job_box.draw_job(JOB):
        _unfinished(workspace, dataset)


def _first_prompts(workspace: Workspace, dataset: Dataset, ids: list[str], way: SendAs) -> list[Asked]:
    """The first rows as they would be sent: what length and end of the answers are read from."""
    return [row.sent(way) for row in workspace.examples.of(dataset.id, ids[:ROWS_READ])]


def _start(
    workspace: Workspace, dataset_id: str, ids: list[str] | None, spec: ModelSpec, task: Generate
) -> None:
    try:
        rows = workspace.examples.of(dataset_id, ids)
        task = replace(task, batch=service().settings.batch_size)
        job = runner(service()).run(task, rows, spec, workspace=workspace, owner=f"{owner()} {JOB}")
    except AppError as error:
        problem.show_error(error)
        return
    job_box.hold_job(JOB, job)
    st.rerun()


def _unfinished(workspace: Workspace, dataset: Dataset) -> None:
    work = WorkList(workspace)
    for held in [w for w in work.all("generate", unfinished=True) if w.payload][:MOST_LISTED]:
        items = work.items(held.id)
        if not items or _dataset_of(workspace, items[0]) != dataset.id:
            continue
        spec, way = ModelSpec(**held.payload["model"]), held.payload.get("send_as", "plain")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(problem.plain(_sentence(held, spec, way)))
            if under_way(held.id):
                continue
            if rights.button("Go on", key=state.GO_ON_WITH_RUN(held.id).name):
                params = held.payload["params"]
                params = GenerationParams(**(params | {"stop": tuple(params["stop"])}))
                _start(workspace, dataset.id, list(items), spec, Generate(params, way))
            if rights.button(
                "Forget", key=state.FORGET_RUN(held.id).name, help="The answers so far are kept."
            ):
                work.remove(held.id)
                st.rerun()
        failed = dict(list(work.results(held.id, failed=True).items())[:3])
        for item, name in names_of(list(failed)).items():
            st.caption(problem.plain(f"{name}: {failed[item]}"))


def _dataset_of(workspace: Workspace, example_id: str) -> str:
    try:
        return workspace.examples.dataset_of(example_id)
    except AppError:
        return ""


def _sentence(held: PieceOfWork, spec: ModelSpec, way: SendAs) -> str:
    sent = ", sent chats," if way == "chat" else ""
    told = f"{spec.name} ({spec.precision}){sent} has answered {held.done:,} of {held.total:,} rows"
    if under_way(held.id):
        return f"{told} so far; the run goes on."
    return f"{told}; {held.failed:,} failed." if held.failed else f"{told}, then the run stopped."
