"""Which of the dataset's kept tables is open, the same on every page, and its cells, read once for every state."""

from __future__ import annotations

import streamlit as st

from core.prompt_table import PromptTable
from core.store import Dataset, Workspace
from core.store.kept_tables import KeptTable
from core.ui.shell import library, state

NEW = ""


def choose_table(dataset: Dataset, *, with_new: bool = False) -> KeptTable | None:
    """Draw the menu of tables. Returns the open one; None where there is none, or (`with_new`) a new one is wanted."""
    here = library.workspace()
    kept = {one.id: one for one in here.tables.all(dataset.id)}
    wanted = state.TABLE_OPEN.get() or st.query_params.get(state.TABLE_OPEN.name, "")
    if not kept:
        return None
    start = wanted if wanted in kept else next(iter(kept))
    options = [*kept, *([NEW] if with_new else [])]
    picked = st.selectbox(
        "Table",
        options,
        options.index(start),
        format_func=lambda one: kept[one].name if one else "A new table",
        key=state.TABLE_CHOSEN(f"{start} {len(kept)} {with_new}").name,
        width=300,
    )
    if picked:
        open_table(picked)
        return kept[picked]
    st.query_params.pop(state.TABLE_OPEN.name, None)
    return None


def open_table(table_id: str) -> None:
    """Make it the one that the pages show, and put it into the link."""
    state.TABLE_OPEN.set(table_id)
    st.query_params[state.TABLE_OPEN.name] = table_id


def forget_open_table() -> None:
    """None is open: it is gone."""
    state.TABLE_OPEN.pop()
    st.query_params.pop(state.TABLE_OPEN.name, None)


def loaded(table: KeptTable) -> PromptTable:
    """The table's cells. Raises: AppError where it is gone."""
    here = library.workspace()
    stamp = (here.id, table.id, here.tables.get(table.id).updated_at, here.tables.count(table.id))
    return _loaded(stamp, here)


@st.cache_resource(max_entries=4, show_spinner="Reading the table")
def _loaded(stamp: tuple[object, ...], _here: Workspace) -> PromptTable:
    return _here.tables.table(str(stamp[1]))
