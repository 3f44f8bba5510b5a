"""The table on the screen: a page of rows at a time, so that 100,000 rows open as fast as ten.

Long cells are cut for the screen only; whole texts stand below the table for the row in hand.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st
from streamlit.typing import DataframeState

from core.records import digest
from core.ui.dataset_page import table as tables
from core.ui.dataset_page.narrow import Positions
from core.ui.shell import state

PAGE_ROWS = 500
CELL_CHARS = 400
HEIGHT = 400
BOX = "dataset-grid"


def counted(rows: int) -> str:
    """`1 row`, `1,200 rows`."""
    return f"{rows:,} row{'' if rows == 1 else 's'}"


def columns(table: pd.DataFrame, dataset_id: str) -> list[str]:
    """Draw the choice of columns. Returns the names to show, in the table's order."""
    names = [str(name) for name in table.columns]
    with st.popover("Columns"):
        chosen = st.multiselect(
            "Show", names, tables.shown_first(table), key=state.DATASET_COLUMNS(dataset_id, len(names)).name
        )
    return [name for name in names if name in chosen] or ["prompt"]


def choose_rows(table: pd.DataFrame, places: Positions, shown: list[str]) -> list[str]:
    """Draw a page of the rows at `places`. Returns the ids of the rows that are selected there."""
    pages = max(1, -(-len(places) // PAGE_ROWS))
    page = 1
    if pages > 1:
        page = int(
            st.number_input(f"Page (of {pages:,})", 1, pages, key=state.DATASET_PAGE(pages).name, width=140)
        )
    here = places[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]
    rows = table.iloc[here]
    ids = [str(name) for name in rows["id"]]
    # The grid's own tool bar would lie over the filters.
    st.html(f"<style>.st-key-{BOX} [data-testid='stElementToolbar'] {{ display: none; }}</style>")
    with st.container(key=BOX):
        told = _grid(_cut(rows[shown]), ids, shown)
    picked = told.get("selection", {}).get("rows", [])
    return [ids[place] for place in picked if place < len(ids)]


def _grid(rows: pd.DataFrame, ids: list[str], shown: list[str]) -> DataframeState:
    return st.dataframe(
        rows,
        key=state.DATASET_GRID(digest(ids)[:12]).name,
        on_select="rerun",
        selection_mode="multi-row",
        hide_index=True,
        height=HEIGHT if len(ids) > 10 else "auto",
        placeholder="",
        column_config={
            name: st.column_config.TextColumn("★", width=36, help="Starred")
            if name == "starred"
            else st.column_config.Column(width="large" if name == "prompt" else "medium")
            for name in shown
        },
        alt="Examples of the dataset",
    )


def _cut(rows: pd.DataFrame) -> pd.DataFrame:
    short = {
        name: rows[name].str.slice(0, CELL_CHARS)
        for name in rows.columns
        if isinstance(rows[name].dtype, pd.StringDtype)
    }
    other = {
        name: rows[name].map(lambda cell: str(cell)[:CELL_CHARS], na_action="ignore").astype("str")
        for name in rows.columns
        if rows[name].dtype == object
    }
    marks = {"starred": rows["starred"].map({True: "★", False: ""})} if "starred" in rows else {}
    return rows.assign(**short, **other, **marks)
