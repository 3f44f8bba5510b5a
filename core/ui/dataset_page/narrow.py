"""What narrows the table: a search, a slice, filters by column, and the order of the rows.

Widgets here, the search grammar in `core.datasets.query`. The result is row positions; the table itself is
never copied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.datasets import search
from core.errors import AppError
from core.ui.asking import verdicts
from core.ui.dataset_page.table import VERSION
from core.ui.shell import problem, state

if TYPE_CHECKING:
    from core.store.workspace import Workspace

ALL, STARRED = "All rows", "Starred"
FILE_ORDER = "As loaded"
FEW = 40
"""A column with at most so many different values is filtered by a list of them."""
HELP = """Words find rows that hold them all. `column:word` looks into one column (`"two words":word` where
its name has spaces), `"…"` keeps words together, `/…/` is a regular expression (`/…/i` for upper and lower
case alike), `column:>0.5` compares numbers, `target:""` finds empty ones. Join with `AND`, `OR`, `NOT` and
parentheses."""

Positions = NDArray[np.intp]


def narrow_rows(table: pd.DataFrame, workspace: Workspace, dataset_id: str, columns: list[str]) -> Positions:
    """Draw the line above the table. Returns the positions of the rows that are left, in their order."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        asked = st.text_input(
            "Search",
            key=state.DATASET_SEARCH.name,
            persist_state="session",
            placeholder='soup source:menu NOT "no eggs"',
            help=HELP,
        )
        by_verdict = verdicts.groups_by_verdict(workspace, dataset_id)
        groups = [ALL, STARRED, *workspace.marks.slices(dataset_id), *by_verdict]
        group = st.selectbox("Rows", groups, key=state.DATASET_ROWS(dataset_id).name, width=170)
        order = st.selectbox(
            "Sort by", [FILE_ORDER, *columns], key=state.DATASET_SORT(dataset_id).name, width=170, help=_SORT
        )
        down = st.toggle("Largest first", key=state.DATASET_DOWN.name, disabled=order == FILE_ORDER)
        with st.popover("Filters"):
            fits = _filters(table, columns)
    ids = by_verdict.get(group or "")
    group_fits = _group(table, workspace, dataset_id, group or ALL) if ids is None else _among(table, ids)
    left = fits & group_fits
    try:
        left &= _found(table, asked or "")
    except AppError as error:
        problem.show_error(error)
    places = np.flatnonzero(left)
    if order == FILE_ORDER or order not in table:
        return places
    ranked = table[order].iloc[places].reset_index(drop=True)
    ranked = ranked.sort_values(ascending=not down, kind="stable", key=comparable, na_position="last")
    return places[ranked.index.to_numpy()]


def _found(table: pd.DataFrame, asked: str) -> NDArray[np.bool_]:
    """The rows that fit the search; remembered while neither it nor the table changes."""
    key = (table.attrs.get(VERSION), asked)
    held = state.DATASET_FOUND.get()
    if held is None or held[0] != key:
        held = (key, search(table, asked))
        state.DATASET_FOUND.set(held)
    return held[1]


_SORT = "All rows are sorted; a click on a column's head sorts only the rows on this page."


def comparable(column: pd.Series) -> pd.Series:
    """Keys to sort by: numbers as numbers also where a file holds them as text, other text without case."""
    if column.dtype == object:
        column = column.map(lambda cell: cell if isinstance(cell, str) else str(cell), na_action="ignore")
        column = column.astype("str")
    if not isinstance(column.dtype, pd.StringDtype):
        return column
    numbers = pd.to_numeric(column, errors="coerce")
    filled = column.fillna("") != ""
    return numbers if filled.any() and numbers[filled].notna().all() else column.str.casefold()


def _group(table: pd.DataFrame, workspace: Workspace, dataset_id: str, group: str) -> NDArray[np.bool_]:
    if group == ALL:
        return np.ones(len(table), bool)
    if group == STARRED:
        return table["starred"].to_numpy(bool).copy()
    return table["id"].isin(set(workspace.marks.slice(dataset_id, group))).to_numpy(bool)


def _among(table: pd.DataFrame, ids: list[str]) -> NDArray[np.bool_]:
    return table["id"].isin(set(ids)).to_numpy(bool)


def _filters(table: pd.DataFrame, columns: list[str]) -> NDArray[np.bool_]:
    """Draw one control for each column that the person wants to filter by."""
    chosen = st.multiselect("Filter by", columns, key=state.DATASET_FILTERS.name, persist_state="session")
    fits = np.ones(len(table), bool)
    for name in chosen:
        if name in table:
            fits &= _filter(name, table[name])
    return fits


def _filter(name: str, cells: pd.Series) -> NDArray[np.bool_]:
    key, label = state.DATASET_FILTER(name).name, problem.plain(name)
    if pd.api.types.is_bool_dtype(cells.dtype):
        wanted: Any = st.radio(label, ["yes", "no"], key=key, horizontal=True)
        return cells.to_numpy(bool, na_value=False) == (wanted == "yes")
    if pd.api.types.is_numeric_dtype(cells.dtype):
        low, high = float(cells.min()), float(cells.max())
        if not np.isfinite([low, high]).all() or low == high:
            st.caption(f"{label}: nothing to choose between.")
            return np.ones(len(cells), bool)
        wanted = st.slider(
            label, low, high, (low, high), key=state.DATASET_FILTER_BETWEEN(name, low, high).name
        )
        inside = cells.between(*wanted).to_numpy(bool, na_value=False)
        return inside | (cells.isna().to_numpy(bool) & (wanted == (low, high)))
    texts = cells.astype("str").fillna("")
    values = sorted(texts.unique()) if texts.nunique() <= FEW else []
    if values:
        wanted = st.multiselect(label, values, key=key, format_func=lambda value: value or "(empty)")
        return texts.isin(wanted).to_numpy(bool) if wanted else np.ones(len(cells), bool)
    wanted = st.text_input(f"{label} contains", key=key)
    return texts.str.contains(wanted or "", case=False, regex=False).to_numpy(bool)
