"""The figures and the tests as files, each line with what it was made from: nothing needs to be remembered."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core.datasets import EXPORTS, Export, counts_of
from core.errors import AppError
from core.metrics import REASONS
from core.ui.asking.row_choice import Rows
from core.ui.metrics_page import work
from core.ui.metrics_page.work import Column
from core.ui.shell import state
from core.ui.shell.services import service


def draw_metric_downloads(columns: Sequence[Column], rows: Rows) -> None:
    """A menu with the table of figures and, for two or more systems, the tests, in each kind of file."""
    ready = [column for column in columns if column.figures is not None]
    if not ready:
        return
    tables: list[tuple[str, str, Callable[[], pd.DataFrame]]] = [
        ("Figures", "metrics", partial(figures, ready, rows))
    ]
    if len(ready) > 1:
        tables.append(("Tests", "tests", partial(tests, ready, rows)))
    with st.popover("Download", icon=":material/download:"):
        st.caption(
            "With model, revision, precision, parameters, how prompts were sent, and how each is computed."
        )
        for label, name, make in tables:
            st.markdown(f"**{label}**")
            with st.container(horizontal=True):
                for export in EXPORTS:
                    st.download_button(
                        export.label,
                        partial(_written, export, make),
                        file_name=f"{_file_name(rows.dataset.name)}-{name}.{export.name}",
                        mime=export.mime,
                        key=state.METRICS_DOWNLOAD(name, export.name).name,
                        on_click="ignore",
                    )


def _written(export: Export, make: Callable[[], pd.DataFrame]) -> bytes:
    return export.write(make())


def figures(columns: Sequence[Column], rows: Rows) -> pd.DataFrame:
    """One line a metric and system: value, interval, rows counted and left out, signature, how it was made."""
    lines = []
    for column in columns:
        made = _made(column)
        for one in work.aggregates(column).values():
            lines.append(
                {
                    "metric": one.metric.label,
                    "value": one.value,
                    "low": one.low,
                    "high": one.high,
                    "interval": one.note or ("exact 95 %" if one.metric.share else "bootstrap 95 %"),
                    "rows": one.rows,
                    **{f"left out: {REASONS[why]}": count for why, count in one.left_out},
                    "unit": one.metric.units,
                    "signature": one.signature,
                    **_where(rows),
                    **made,
                }
            )
    return pd.DataFrame(lines)


def tests(columns: Sequence[Column], rows: Rows) -> pd.DataFrame:
    """One line a metric and pair of systems, the first against each other one."""
    first, lines = columns[0], []
    for other in columns[1:]:
        for member in work.members([first, other]):
            try:
                seen = work.paired(first, other, member.name)
            except AppError:
                continue
            lines.append(
                {
                    "metric": member.label,
                    "first": seen.first,
                    "second": seen.second,
                    "difference": seen.difference,
                    "low": seen.low,
                    "high": seen.high,
                    "p": seen.p,
                    "test": seen.test,
                    "rows": seen.rows,
                    **_where(rows),
                    **{f"first: {name}": value for name, value in _made(first).items()},
                    **{f"second: {name}": value for name, value in _made(other).items()},
                }
            )
    return pd.DataFrame(lines)


def _where(rows: Rows) -> dict[str, Any]:
    counts = counts_of(rows.dataset.imported)
    read = {"how it was read": counts.sentence()} if counts is not None else {}
    return {"dataset": rows.dataset.name, **read, "chosen": rows.label, "chosen rows": len(rows.examples)}


def _made(column: Column) -> dict[str, Any]:
    """What a system's answers were made with; "several" where the rows differ."""
    system = column.system
    facts: dict[str, Any] = {"system": system.label, "edited prompts": system.edited}
    if system.in_file:
        return facts | {"model": f"the file's column {system.spec.path}"}
    spec = system.spec
    facts |= {
        "model": spec.name,
        "backend": spec.backend,
        "revision": spec.revision,
        "precision": spec.precision,
    }
    facts |= {"device": spec.device, "sent as": system.send_as}
    made = service().store.made_with(row.answer_id for row in column.rows if row.answer_id)
    used = {params for _spec, params in made.values()}
    for params in used:
        for name, value in asdict(params).items():
            same = all(getattr(other, name) == value for other in used)
            facts[name] = (list(value) if name == "stop" else value) if same else "several"
    return facts


def _file_name(name: str) -> str:
    return re.sub(r"[^\w-]+", "-", name)[:60] or "dataset"
