"""Which of the dataset's kept tables is open, and its cells, read once for every state of the store."""

from __future__ import annotations

import streamlit as st

from core.errors import AppError
from core.prompt_table import PromptTable
from core.store import Dataset, Workspace
from core.store.kept_tables import KeptTable
from core.ui.shell import library, problem, rights, state
from core.ui.table_page import setup

NEW = ""


def choose_table(dataset: Dataset) -> KeptTable | None:
    """Draw the menu of tables. Returns the open one; None: a new one is set up."""
    here = library.workspace()
    kept = {one.id: one for one in here.tables.all(dataset.id)}
    wanted = state.TABLE_OPEN.get() or st.query_params.get(state.TABLE_OPEN.name, "")
    if not kept:
        return None
    options = [*kept, NEW]
    start = wanted if wanted in kept else next(iter(kept))
    picked = st.selectbox(
        "Table",
        options,
        options.index(start),
        format_func=lambda one: kept[one].name if one else "A new table",
        key=state.TABLE_CHOSEN(f"{start} {len(kept)}").name,
        width=300,
    )
    if picked:
        setup.open_table(picked)
        return kept[picked]
    st.query_params.pop(state.TABLE_OPEN.name, None)
    return None


def loaded(table: KeptTable) -> PromptTable:
    """The table's cells. Raises: AppError where it is gone."""
    here = library.workspace()
    stamp = (here.id, table.id, here.tables.get(table.id).updated_at, here.tables.count(table.id))
    return _loaded(stamp, here)


@st.cache_resource(max_entries=4, show_spinner="TableReading the table")
def _loaded(stamp: tuple[object, ...], _here: Workspace) -> PromptTable:
    return _here.tables.table(str(stamp[1]))


def remove(table: KeptTable) -> None:
    """Draw the button that removes the table."""
    if rights.button("Remove this table", help="Its answers stay with their prompts."):
        try:
            library.workspace().tables.remove(table.id)
        except AppError as error:
            problem.show_error(error)
            return
        state.TABLE_OPEN.pop()
        st.query_params.pop(state.TABLE_OPEN.name, None)
        st.rerun()
