"""The table on the screen: a page of rows at a time, so that 100,000 rows open as fast as ten.

Cells are cut for the screen only: what many rows begin with alike makes room for what tells them apart, and long
texts end early. The whole texts of the row in hand stand beside the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

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
ALIKE, KEPT, LOOKED_AT = 40, 26, 4000
"""Characters from which on a common beginning is shortened, how many of it are kept, how far it is looked for."""
BOX, SIDE = "dataset-grid", "dataset-grid-side"
"""Keys of the containers of the grid, and of all that stands left of the row in hand."""


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
    st.html(
        f"<style>.st-key-{BOX} [data-testid='stElementToolbar'] {{ display: none; }}"
        f":has(> .st-key-{SIDE}) {{ min-width: min(100%, 30rem); }}</style>"  # narrower, what stands beside goes below
    )
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


def apart(texts: Sequence[str]) -> list[str]:
    """`texts` for cells: where one begins like another for `ALIKE` characters or more, the middle of that goes."""
    order = sorted(range(len(texts)), key=texts.__getitem__)
    alike = [0] * len(texts)
    for one, other in pairwise(order):
        if texts[one] == texts[other]:
            continue
        same = _same_beginning(texts[one], texts[other])
        alike[one], alike[other] = max(alike[one], same), max(alike[other], same)
    return [_without_middle(text, same) if same >= ALIKE else text for text, same in zip(texts, alike)]


def _same_beginning(one: str, other: str) -> int:
    one, other = one[:LOOKED_AT], other[:LOOKED_AT]
    return next((i for i, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))


def _without_middle(text: str, same: int) -> str:
    """The first words, and all from the word in which the texts part."""
    start = max(text.rfind(" ", 0, same), text.rfind("\n", 0, same)) + 1
    first = text[: text.rfind(" ", 0, KEPT) + 1] or text[:KEPT]
    return f"{first.rstrip()} … {text[start:]}" if start > len(first) + 3 else text


def _cut(rows: pd.DataFrame) -> pd.DataFrame:
    short = {
        name: pd.Series(apart(rows[name].fillna("").tolist()), rows.index, dtype="str").str.slice(
            0, CELL_CHARS
        )
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
