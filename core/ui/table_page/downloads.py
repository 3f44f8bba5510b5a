"""The table to take away: CSV, JSON Lines, one HTML report, Python that asks it again, promptfoo's YAML."""

from __future__ import annotations

import json
from collections.abc import Callable

import pandas as pd
import streamlit as st

from core.checks import from_json
from core.datasets.export import to_csv, to_jsonl
from core.prompt_table import PromptTable, promptfoo, python_code, standings
from core.report import table_report
from core.review import newest
from core.store.kept_tables import KeptTable
from core.ui.asking import opinions
from core.ui.shell import library, rights, state, table_choice
from core.ui.table_page import figures
from core.ui.table_page.figures import TableReading


def draw_downloads(table: KeptTable, made: PromptTable, reading: TableReading) -> None:
    """Draw the menu *Export*; a file is made when it is asked for."""
    here = library.workspace()
    conditions = from_json(json.loads(made.plan.conditions)) if made.plan.conditions else ()

    def frame() -> pd.DataFrame:
        return pd.DataFrame(made.lines())

    def report() -> bytes:
        remarks: dict[str, list[str]] = {}
        for one in newest(here.reviews.of_table(table.id)):
            remarks.setdefault(one.example_id, []).append(opinions.plain_words(one, made.labels))
        found = standings(made.as_it_is, reading.counting, reading.mask, reading.baseline)
        return table_report.to_html(
            made,
            table.name,
            reading.counting,
            reading.mask,
            reading.baseline,
            verdict=figures.sentence(found, reading.baseline),
            remarks=remarks,
        )

    def yaml() -> bytes:
        return promptfoo.to_promptfoo(made.plan, here.tables.rows(made.plan), conditions).encode()

    def code() -> bytes:
        return python_code.code_of(made.plan, here.datasets.get(made.plan.dataset_id).name).encode()

    files: tuple[tuple[str, str, str, Callable[[], bytes]], ...] = (
        ("CSV", "table.csv", "text/csv", lambda: to_csv(frame())),
        ("JSON Lines", "table.jsonl", "application/x-ndjson", lambda: to_jsonl(frame())),
        ("Report (HTML)", "table.html", "text/html", report),
        ("Python that asks it again", "table.py", "text/x-python", code),
        ("promptfoo (YAML)", "promptfooconfig.yaml", "application/yaml", yaml),
        ("The rows, for the Python code", "rows.jsonl", "application/x-ndjson", lambda: _rows(table)),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover("Export"):
            for label, name, mime, write in files:
                st.download_button(
                    label,
                    write,
                    name,
                    mime,
                    key=state.TABLE_EXPORT(name).name,
                    on_click="ignore",
                    width="stretch",
                )
        if rights.button("Remove this table", help="Its answers stay with their prompts."):
            here.tables.remove(table.id)
            table_choice.forget_open_table()
            st.rerun()


def _rows(table: KeptTable) -> bytes:
    return promptfoo.rows_as_json(table.plan, library.workspace().tables.rows(table.plan))
