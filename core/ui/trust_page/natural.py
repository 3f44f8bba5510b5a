"""The first thing the Trust page says: how often *Find the cause* and the maps were right on natural prompts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.faithfulness.natural_results import NaturalResults, results_for
from core.metrics.shares import exact
from core.records import ModelSpec
from core.salience import METHODS
from core.ui.explaining.marks import of_method, of_search
from core.ui.shell import problem, state
from core.ui.shell.bar_table import BarFigure, BarLine, BarPanel, BarSeries, bar_table
from core.ui.trust_page.words import of_hundred

Row = dict[str, Any]
SEARCH = "Find the cause"
MAPS = (
    ("gim", "gim", "GIM"),
    ("grad_l2", "grad_l2", "Grad L2"),
    ("grad_dot_input by size", "grad_dot_input", "Grad · input, by size"),
    ("grad_dot_input by sign", "grad_dot_input", "Grad · input, by sign"),
)
"""(what its figures are called, the method, its label)."""
HOW = (
    "Prompts in plain words whose cause is known: invented facts, examples that contradict their own analysis, "
    "instructions, copies, or no cause at all. One counts only when the model itself writes the planted words and no "
    "longer does once the cause is mended. {search}: exactly the cause is named, every copy of it, or nothing where "
    "there is none. A map: the cause stands first. Whiskers are 95 % intervals."
)


def draw_natural(spec: ModelSpec) -> None:
    """Bars for the chosen model, or for all that were measured where it was not."""
    found = results_for(spec.path)
    if not found.rows:
        return
    whole = panel(found.rows)
    st.markdown(f"#### {lead(found, spec.name)}")
    series = (*(BarSeries(m.label, of_method(m.name)) for m in METHODS), BarSeries(SEARCH, of_search()))
    bar_table(
        [whole],
        key=state.TRUST_NATURAL.name,
        about="Find the cause and the maps",
        series=series,
        legend=False,
    )
    names = dict.fromkeys((row["model"], row["label"]) for row in found.rows)
    panels = [
        panel([row for row in found.rows if (row["model"], row["label"]) == one], _title(*one, found.own))
        for one in names
    ]
    with st.expander("By kind of prompt", expanded=found.own):
        bar_table(
            panels, key=state.TRUST_NATURAL_BY_TASK.name, about="Find the cause and the maps, by kind of prompt",
            series=series, legend=False,
        )  # fmt: skip
    st.caption(HOW.format(search=SEARCH))


def lead(found: NaturalResults, name: str) -> str:
    """The one sentence: "Find the cause is right in 98 of 100 prompts whose cause is known, on demo." """
    right, count = (sum(row[key] for row in found.rows) for key in ("right", "verified"))
    models = ", ".join(dict.fromkeys(row["model"] for row in found.rows))
    where = f"on {name}" if found.own else f"on {models}; {name} has not been measured"
    return problem.plain(
        f"{SEARCH} is right in {of_hundred(right / count)} prompts whose cause is known, {where}."
    )


def panel(rows: Sequence[Row], title: str = "") -> BarPanel:
    """A line for the search over all rows, and one for each map over the rows that have a cause."""
    prompts = sum(row["verified"] for row in rows)
    lines = [_line(SEARCH, len(METHODS), sum(row["right"] for row in rows), prompts, short=bool(title))]
    names = [member.name for member in METHODS]
    for key, method, label in MAPS:
        mapped = [row for row in rows if key in row["maps_first"]]
        if mapped:
            first, five = (sum(row[what][key] for row in mapped) for what in ("maps_first", "maps_in_five"))
            count = sum(row["verified"] for row in mapped)
            note = f"among its first five in {of_hundred(five / count)}"
            lines.append(_line(label, names.index(method), first, count, note, short=bool(title)))
    return BarPanel(tuple(lines), title, f"{prompts:,} prompt{'s' * (prompts != 1)}" if title else "")


def _line(label: str, series: int, hits: int, count: int, more: str = "", *, short: bool) -> BarLine:
    low, high = exact(hits, count)
    said = f"{low:.0%} to {high:.0%} (95 % interval)"
    note = "" if short else "; ".join(filter(None, (f"{hits:,} of {count:,} prompts", more)))
    return BarLine(
        label, (BarFigure(of_hundred(hits / count), hits / count, low, high, None, series, said),), note
    )


def _title(model: str, label: str, own: bool) -> str:
    said = label[:1].upper() + label[1:]
    return said if own else f"{said} ({model})"
