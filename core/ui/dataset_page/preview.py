"""What a plan makes of a file: its first rows as examples, the file's own rows, and what would be left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from core.datasets import Bounds, ColumnPlan, FileRows, LoadedDataset, to_examples
from core.datasets.values import shown
from core.errors import AppError
from core.records import Example
from core.ui.shell import problem, state

FIRST = 3
ROWS = 8
CELL_CHARS = 200
_IN_THE_FORM = ("was read as the prompt.", "read as the target.", "made by a template.")
"""Ends of notes that the form beside says already."""


def draw_import_preview(rows: FileRows, plan: ColumnPlan, bounds: Bounds, most: int) -> AppError | None:
    """Draw the first examples and the first rows. Returns why nothing can be added, or None."""
    made, file = st.tabs(["As examples", "In the file"])
    with file:
        st.dataframe(_first(rows), hide_index=True, alt="The file's first rows")
    with made:
        try:
            loaded = _tried(rows, plan, bounds, most)
        except AppError as error:
            problem.show_error(error)
            return error
        if not loaded.examples:
            first = loaded.problems[0].reason if loaded.problems else ""
            fault = AppError(f"No row gives an example. {first}".strip())
            problem.show_error(fault)
            return fault
        st.caption(problem.plain(_counted(rows, loaded, most)))
        for note in loaded.notes[len(rows.notes) :]:
            if not note.endswith(_IN_THE_FORM):
                st.caption(problem.plain(note))
        for number, example in enumerate(loaded.examples[:FIRST], 1):
            _example(number, example)
    return None


def _tried(rows: FileRows, plan: ColumnPlan, bounds: Bounds, most: int) -> LoadedDataset:
    """The examples of the first `most` rows; made once for a plan."""
    held = state.IMPORT_TRIED.get()
    if held is not None and held[0] == (id(rows), plan):
        return held[1]
    part = rows
    if len(rows.rows) > most:
        part = replace(rows, rows=rows.rows[:most], counted=most, problems=(), past_limit=0)
    loaded = to_examples(part, plan, bounds)
    state.IMPORT_TRIED.set(((id(rows), plan), loaded))
    return loaded


def _counted(rows: FileRows, loaded: LoadedDataset, most: int) -> str:
    told = loaded.counts.sentence()
    return f"Of the first {most:,} rows: {told}" if len(rows.rows) > most else told


def _example(number: int, example: Example) -> None:
    with st.container(border=True, key=f"import-example-{number}"):
        st.markdown(f"**{problem.plain(example.called)}**")
        for turn in example.earlier_turns:
            st.caption(f"{turn.role}")
            st.code(_cut(turn.content), language=None, wrap_lines=True)
        st.caption("Prompt")
        st.code(
            _cut(example.prompt),
            language=None,
            wrap_lines=True,
            height=160 if len(example.prompt) > 400 else "content",
        )
        if example.targets:
            st.caption("Target" if len(example.targets) == 1 else f"Targets: any of {len(example.targets)}")
            for target in example.targets[:3]:
                st.code(_cut(target) or "(empty)", language=None, wrap_lines=True)
        else:
            st.caption("No target")


def _cut(text: str, most: int = 2_000) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def _first(rows: FileRows) -> pd.DataFrame:
    listed: list[dict[str, Any]] = []
    for line, row in rows.rows[:ROWS]:
        cells = {str(key): _cut(shown(value), CELL_CHARS) for key, value in row.items()}
        listed.append({"line": line, **{key: cells.get(key, "") for key in rows.top}})
    return pd.DataFrame(listed)
