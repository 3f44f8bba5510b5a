"""The table's rows on the screen, a page at a time: who is right where, and in a cell what differs from the baseline.

Whole answers stand below for the row in hand.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.compare import word_diff
from core.prompt_table import PromptTable
from core.prompt_table.narrow import ORDERS, TIE, WHICH, shown_rows
from core.prompt_table.standing import cell_share
from core.prompt_table.table import OUTCOME_OF
from core.records import digest
from core.thinking import answer_of
from core.ui.shell import state
from core.ui.table_page.figures import TableReading

PAGE_ROWS = 100
CELL_CHARS = 140
MARKS = {"right": "✓", "wrong": "✗", "unsure": "?", "failed": "!", "skipped": "–", "": "…"}
LEGEND = "✓ right, ✗ wrong, ? unsure, ! failed, – not to be asked, … not answered yet, ≈ hangs on a tie of two words"


def choose_row(made: PromptTable, reading: TableReading) -> int | None:
    """Draw filters and a page of rows. Returns the place of the row that is selected, else of the first."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        which = st.selectbox(
            "Show",
            list(WHICH),
            format_func=WHICH.__getitem__,
            key=state.TABLE_FILTER.name,
            persist_state="session",
            width=260,
        )
        order = st.selectbox(
            "Order",
            list(ORDERS),
            format_func=ORDERS.__getitem__,
            key=state.TABLE_SORT.name,
            persist_state="session",
            width=190,
        )
        search = st.text_input(
            "Search",
            key=state.TABLE_SEARCH.name,
            persist_state="session",
            width=220,
            placeholder="in rows and answers",
        )
        places = shown_rows(
            made,
            which or "all",
            order or "turned",
            counting=reading.counting,
            baseline=reading.baseline,
            mask=reading.mask,
            search=search or "",
        )
        pages = max(1, -(-len(places) // PAGE_ROWS))
        page = 1
        if pages > 1:
            page = int(
                st.number_input(f"Page (of {pages:,})", 1, pages, key=state.TABLE_PAGE(pages).name, width=140)
            )
    here = places[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]
    st.caption(f"{len(places):,} of {len(made.rows):,} rows. {LEGEND}.")
    if not len(here):
        return None
    return _grid(made, here, reading.baseline)


def _grid(made: PromptTable, here: NDArray[np.intp], base: int) -> int:
    labels = made.labels
    lines = [
        {"Row": made.rows[at].called, "Target": " | ".join(made.rows[at].targets)[:CELL_CHARS]}
        | {label: cell_text(made, at, column, base) for column, label in enumerate(labels)}
        for at in map(int, here)
    ]
    told = st.dataframe(
        pd.DataFrame(lines),
        key=state.TABLE_GRID(digest([made.plan.key, base, *map(int, here)])[:12]).name,
        on_select="rerun",
        selection_mode="single-row",
        hide_index=True,
        height=420 if len(here) > 10 else "content",
        column_config={name: st.column_config.Column(width="medium") for name in ("Row", *labels)},
        alt="Rows of the table",
    )
    picked = told.get("selection", {}).get("rows", [])
    return int(here[picked[0]]) if picked and picked[0] < len(here) else int(here[0])


def cell_text(made: PromptTable, row: int, column: int, base: int) -> str:
    """The verdict and, of the answer, what differs from the baseline's; several takes as their share right."""
    outcomes = made.outcomes[row, column]
    answer = answer_of(str(made.answers[row, column, 0])).strip()
    tie = "≈ " if (made.ties[row, column] < TIE).any() else ""
    if len(outcomes) > 1:
        right, decided, low, high = cell_share(made, row, column)
        spread = f" ({low:.0%}–{high:.0%})" if decided else ""
        return f"{tie}{right} of {decided}{spread}: {_short(answer)}"
    mark = MARKS[OUTCOME_OF[int(outcomes[0])]]
    if not answer:
        return f"{mark} {made.whys[row, column, 0] if outcomes[0] < -2 else ''}".strip()
    if column == base:
        return f"{mark} {tie}{_short(answer)}"
    return f"{mark} {tie}{differing(answer_of(str(made.answers[row, base, 0])).strip(), answer)}"


def differing(before: str, after: str) -> str:
    """Of `after` what `before` lacks, with a word or two before it; "the same answer" where nothing differs."""
    if before == after:
        return "= the same answer"
    if not before:
        return _short(after)
    runs = word_diff(before[:2_000], after[:2_000])
    first = next((at for at, run in enumerate(runs) if run.change == "added"), None)
    if first is None:
        gone = " ".join(run.text.strip() for run in runs if run.change == "removed")
        return _short(f"without: {gone}")
    kept = "".join(run.text for run in runs[:first] if run.change != "removed")
    rest = "".join(run.text for run in runs[first:] if run.change != "removed")
    lead = kept[-24:].rpartition("\n")[2]
    return _short(f"{'…' if len(kept) > len(lead) else ''}{lead}{rest}")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= CELL_CHARS else f"{line[:CELL_CHARS].rstrip()}…"
