"""Which rows of the open dataset a page works on: all, the starred ones, a slice, and a search in these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from core.datasets.query import search
from core.errors import AppError
from core.records import Example
from core.ui.asking import verdicts
from core.ui.shell import library, problem, state

if TYPE_CHECKING:
    from core.store.dataset_list import Dataset
    from core.store.workspace import Workspace

ALL, STARRED, OPEN = "All rows", "Starred", "The open example"
SELECTED, SHOWN = "Selected in Dataset", "Shown in Dataset"


@dataclass(frozen=True)
class Rows:
    """The chosen rows, in the dataset's order, and what they are called."""

    dataset: Dataset
    examples: tuple[Example, ...]
    label: str


def remember(dataset_id: str, selected: Sequence[str], shown: Sequence[str]) -> None:
    """The Dataset page says which of its rows are selected, and which its search and filters leave."""
    state.ROWS_OF_THE_TABLE.set((dataset_id, {SELECTED: list(selected), SHOWN: list(shown)}))


def _in_table(dataset: Dataset) -> dict[str, list[str]]:
    """The groups that the Dataset page offers: those that hold rows, but not all of them."""
    dataset_id, groups = state.ROWS_OF_THE_TABLE.get(("", {}))
    if dataset_id != dataset.id:
        return {}
    return {name: ids for name, ids in groups.items() if 0 < len(ids) < dataset.rows}


def choose_rows(key: str, *, with_open: bool = False) -> Rows:
    """Draw the two controls (in the container that is open). A search that cannot be read shows all rows.

    `with_open` offers the example that is open on the other pages, and begins with it.
    """
    here, dataset = library.workspace(), library.dataset()
    table = _in_table(dataset)
    by_verdict = verdicts.groups_by_verdict(here, dataset.id)
    groups = [
        *([OPEN] if with_open else []),
        ALL,
        *table,
        STARRED,
        *here.marks.slices(dataset.id),
        *by_verdict,
    ]
    group = st.selectbox(
        "Rows",
        groups,
        key=state.ROWS(key).name,
        persist_state="session",
        width=190,
        help=f"Of the dataset “{problem.plain(dataset.name)}”. Slices are made on the Dataset page.",
    )
    if group == OPEN:
        example = library.example()
        return Rows(dataset, (example,), example.called)
    asked = st.text_input(
        "Search",
        key=state.ROWS_SEARCH(key).name,
        persist_state="session",
        width=230,
        placeholder="source:fewshot AND soup",
        help="A word, column:word, /regular expression/, joined by AND, OR, NOT.",
    )
    kept = _ids(here, dataset, group or ALL, (asked or "").strip(), by_verdict)
    return Rows(dataset, tuple(here.examples.of(dataset.id, kept)), group or ALL)


def _ids(
    here: Workspace, dataset: Dataset, group: str, asked: str, by_verdict: dict[str, list[str]]
) -> list[str]:
    frame = here.results.frame(dataset.id)
    if group == STARRED:
        frame = frame[frame["starred"]]
    elif group in (table := _in_table(dataset)):
        frame = frame[frame["id"].isin(set(table[group]))]
    elif group in by_verdict:
        frame = frame[frame["id"].isin(set(by_verdict[group]))]
    elif group != ALL:
        frame = frame[frame["id"].isin(set(here.marks.slice(dataset.id, group)))]
    if asked:
        try:
            frame = frame[search(frame, asked)]
        except AppError as error:
            problem.show_error(error)
    return [str(name) for name in frame["id"]]
