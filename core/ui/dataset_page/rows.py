"""What can be done with the rows in hand: open, star, slice, remove, take away as a file; and their texts."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from core.datasets import EXPORTS, counts_of
from core.errors import AppError
from core.ui.dataset_page import findings, making
from core.ui.dataset_page.grid import counted
from core.ui.dataset_page.table import ANSWERERS, THINKING
from core.ui.shell import address, library, problem, rights, state
from core.ui.shell.services import service

if TYPE_CHECKING:
    from core.store.dataset_list import Dataset
    from core.store.workspace import Workspace


PANE_WIDTH = 400
LONG_TEXT = 300


def draw_row_actions(
    workspace: Workspace, dataset: Dataset, table: pd.DataFrame, picked: list[str], left: list[str]
) -> None:
    """The line under the table; `picked` are selected, `left` all rows that the filters leave."""
    if len(picked) == 1:
        library.open_example(picked[0])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{len(left):,} of {dataset.rows:,} rows shown, {len(picked):,} selected")
        if st.button("Explain", disabled=len(picked) != 1, help="Opens the row under “Why this answer?”."):
            st.switch_page("pages/salience.py", query_params=dict(st.query_params))
        on = not workspace.marks.starred().issuperset(picked) or not picked
        if rights.button("Star" if on else "Remove star", disabled=not picked):
            workspace.marks.star(picked, on=on)
            st.rerun()
        _slices(workspace, dataset, picked)
        _removal(workspace, dataset, picked)
        _files(workspace, dataset, table, picked or left, "selected" if picked else "shown")


def _slices(workspace: Workspace, dataset: Dataset, picked: list[str]) -> None:
    with rights.popover("Slice", help="A slice is a named part of the dataset."):
        name = st.selectbox(
            "Name",
            list(workspace.marks.slices(dataset.id)),
            index=None,
            accept_new_options=True,
            placeholder="Choose one or type a new name",
            key=state.DATASET_SLICE(dataset.id).name,
        )
        count = counted(len(picked))
        for label, change, told in (
            (f"Add {count}", workspace.marks.add_to_slice, f"{count} added to"),
            (f"Take out {count}", workspace.marks.take_from_slice, f"{count} taken out of"),
        ):
            if rights.button(label, disabled=not (name and picked), key=state.CHANGE_SLICE(label[:4]).name):
                _try(partial(change, dataset.id, name or "", picked), f"{told} “{name}”")
        if rights.button("Remove the slice", disabled=not name, help="Its rows stay in the dataset."):
            _try(lambda: workspace.marks.remove_slice(dataset.id, name or ""), f"“{name}” removed")


def _removal(workspace: Workspace, dataset: Dataset, picked: list[str]) -> None:
    removed = workspace.examples.retired(dataset.id)
    with rights.popover("Remove"):
        st.caption("Removed rows leave the table; links to them go on working and they can be put back.")
        if rights.button("Remove the selected rows", disabled=not picked):
            _try(lambda: workspace.examples.retire(picked))
        if removed and rights.button(f"Put back {counted(len(removed))}"):
            _try(lambda: workspace.examples.retire(removed, retired=False))
        if not dataset.shared:
            sure = st.checkbox(
                f"Remove the whole dataset with its {counted(dataset.rows)}", key=state.DATASET_SURE.name
            )
            if rights.button("Remove the dataset", disabled=not sure):
                state.DATASET.pop()
                address.drop(state.DATASET.name)
                _try(lambda: workspace.datasets.remove(dataset.id))


def _files(workspace: Workspace, dataset: Dataset, table: pd.DataFrame, ids: list[str], which: str) -> None:
    with st.popover("Export"):
        st.caption(
            f"The {len(ids):,} rows that are {which}, with all columns, how each answer was made and why it "
            "has its verdict."
        )
        about = about_export(dataset, len(ids), which)
        if told := about.get("how it was read"):
            st.caption(problem.plain(str(told)))
        st.download_button(
            "About these rows (JSON)",
            json.dumps(about, ensure_ascii=False, indent=1),
            file_name=f"{_file_name(dataset.name)}-about.json",
            mime="application/json",
            key=state.DATASET_EXPORT("about").name,
            on_click="ignore",
            type="tertiary",
        )
        for export in EXPORTS:

            def write(write: Callable[[pd.DataFrame], bytes] = export.write) -> bytes:
                place = pd.Index(table["id"]).get_indexer(pd.Index(ids))
                rows = table.iloc[place].drop(columns="starred")
                labels = table.attrs[ANSWERERS]
                rows = making.added(rows, labels, workspace, dataset.id, service().store)
                return write(findings.with_findings(rows, workspace, dataset))

            st.download_button(
                export.label,
                write,
                file_name=f"{_file_name(dataset.name)}.{export.name}",
                mime=export.mime,
                key=state.DATASET_EXPORT(export.name).name,
                on_click="ignore",
                width="stretch",
                disabled=not ids,
            )


def about_export(dataset: Dataset, rows: int, which: str) -> dict[str, Any]:
    """What belongs to an export but to none of its rows: the counts of the file that was read, by reason."""
    told: dict[str, Any] = {"dataset": dataset.name, "rows in the dataset": dataset.rows}
    told |= {"rows in the export": rows, "chosen": which}
    counts = counts_of(dataset.imported)
    if counts is not None:
        told |= {
            "how it was read": counts.sentence(),
            "rows in the file": counts.rows,
            "rows used": counts.used,
            "rows left out": dict(counts.left_out),
            "read to its end": counts.whole,
            "notes": list(dataset.imported.get("notes", ())),
        }
    return told | {"lines that could not be read": [list(one) for one in dataset.problems]}


def _file_name(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in name)[:60] or "dataset"


def _try(change: Callable[[], object], told: str = "") -> None:
    try:
        change()
    except AppError as error:
        problem.show_error(error)
        return
    if told:
        st.toast(problem.plain(f"{told}."))
    st.rerun()


def texts(workspace: Workspace, dataset: Dataset, table: pd.DataFrame, picked: list[str]) -> None:
    """The whole texts of the one row in hand, to the letter, and why its answers have their verdicts."""
    if len(picked) != 1:
        return
    (row,) = table[table["id"] == picked[0]].to_dict("records")
    columns = [
        name for name in table.columns if name in ("prompt", "target") or str(name).startswith("response (")
    ]
    filled = [(str(name), row[name]) for name in columns if isinstance(row[name], str)]
    for name, text in filled:
        st.caption(problem.plain(name))
        if text:
            st.code(text, language=None, wrap_lines=True, height=200 if len(text) > LONG_TEXT else "content")
        else:
            st.caption("(empty)")
        thought = row.get(f"{THINKING}{name.removeprefix('response')}")
        if name.startswith("response (") and isinstance(thought, str):
            with st.expander(f"Thinking, {len(thought.split()):,} words"):
                st.code(thought, language=None, wrap_lines=True)
    answers = workspace.results.responses(dataset.id)
    mine = answers[(answers["id"] == picked[0]) & (answers["send_as"] == "chat")]
    told = {
        one
        for key in mine["key"]
        for one in making.turns_of_row(workspace, service().store, picked[0], str(key))
    }
    for sentence in sorted(told):
        st.caption(f":material/info: {problem.plain(sentence)}")
    findings.draw_findings(workspace, dataset, workspace.examples.get(picked[0]))
