"""The mean share of each section as bars, and every row's shares as a heat map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.figures.captions import map_caption
from core.figures.heatmap import table_heatmap
from core.figures.style import percent
from core.records import Example
from core.salience import METHODS, Method
from core.ui.shell import frame, library, problem, state
from core.ui.shell.bar_table import BarFigure, BarLine, BarPanel, bar_table
from core.ui.shell.row_names import row_names
from core.ui.template_page import work
from core.ui.template_page.coloured import FULL, coloured_sections, template_html
from core.ui.template_page.work import Sections

MOST_ROWS = 200


def choose_method() -> Method:
    """The menu of methods whose shares can be averaged: those without a sign."""
    members = {m.name: m for m in METHODS if not m.signed}
    chosen = st.selectbox(
        "Method",
        list(members),
        format_func=lambda name: members[name].label,
        key=state.TEMPLATE_METHOD.name,
        persist_state="session",
        width=190,
    )
    return members[chosen or next(iter(members))]


def draw_section_shares(found: Sections, rows: Mapping[str, Example], template: str) -> None:
    """Bars first, the rows behind them second; a click on the map opens the row."""
    called = row_names(rows.values())
    for name, reason in found.failed[:3]:
        st.warning(problem.plain(f"{called.get(name, name)}: {reason}"))
    means = found.means()
    sections = coloured_sections(
        template, [rows[name].prompt for name in found.ids], [m.value for m in means]
    )
    strongest = max(sections, key=lambda section: section.ratio)
    st.markdown(
        f"**{problem.plain(strongest.text)}** carries {strongest.ratio:.1f} times what its length would: "
        f"{percent(strongest.share)} of the influence, {percent(strongest.length)} of the length."
    )
    st.html(template_html(sections, frame.theme()))
    st.caption(
        "Colour: how many times its share of the length a section carries; none up to 1, full from "
        f"{FULL:g} times. Framed: variables. Hover for the figures."
    )
    top = max(max(mean.high for mean in means), 0.01)
    lines = tuple(
        BarLine(
            mean.label or "(blank)",
            (BarFigure(percent(mean.value), mean.value / top, mean.low / top, mean.high / top),),
            f"{percent(section.length)} of the length",
        )
        for mean, section in zip(means, sections)
    )
    bar_table(
        [BarPanel(lines)], key=state.TEMPLATE_BARS.name, about="Mean share of each section of the template"
    )
    st.caption(
        f"Mean share of the prompt's influence on the whole answer over {len(found.ids):,} rows, with a bootstrap 95 % "
        "interval over rows. A variable is in {}."
    )
    shown = found.ids[:MOST_ROWS]
    names = [work.values_of(template, rows[name].prompt) or called[name] for name in shown]
    event: Any = st.plotly_chart(
        table_heatmap(found.shares[: len(shown)], names, found.labels, theme=frame.theme()),
        theme=None,
        key=state.TEMPLATE_MAP.name,
        on_select="rerun",
        selection_mode="points",
        config={"displayModeBar": False},
        alt="Share of each section in each row",
    )
    more = f" The first {MOST_ROWS:,} rows are shown." if len(found.ids) > MOST_ROWS else ""
    st.caption(f"Click a cell to open its row.{more} {map_caption(frame.theme(), False)}")
    points = (event.get("selection") or {}).get("points") or []
    if points:
        name = shown[int(points[0]["customdata"][0])]
        if name in rows:
            library.open_example(name)
            st.page_link("pages/salience.py", label=f"Why this answer to {problem.plain(called[name])}?")
