"""The mean share of each section as bars, and every row's shares as a heat map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.figures.bars import interval_bars
from core.figures.captions import map_caption
from core.figures.heatmap import table_heatmap
from core.records import Example
from core.salience import METHODS, Method
from core.ui.shell import frame, library, problem, state
from core.ui.shell.row_names import row_names
from core.ui.template_page import work
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
    st.plotly_chart(
        interval_bars(
            found.means(),
            theme=frame.theme(),
            units="share of the prompt's influence on the whole answer",
            percentages=True,
        ),
        theme=None,
        key=state.TEMPLATE_BARS.name,
        config={"displayModeBar": False},
        alt="Mean share of each section of the template, with 95 % intervals",
    )
    st.caption(
        f"Mean over {len(found.ids):,} rows, with a bootstrap 95 % interval over rows. A variable is in {{}}."
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
