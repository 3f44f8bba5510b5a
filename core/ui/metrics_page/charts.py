"""Closer looks: one metric by group, its distribution, two metrics against each other, and the examples
behind a click.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.figures.distributions import distribution, scatter_of_two
from core.metrics import Metric
from core.ui.asking.row_choice import Rows
from core.ui.explaining.marks import of_model
from core.ui.metrics_page import work
from core.ui.metrics_page.results import bar
from core.ui.metrics_page.work import Column
from core.ui.shell import frame, library, problem, state
from core.ui.shell.bar_table import BarLine, BarPanel, BarSeries, bar_table
from core.ui.shell.row_names import row_names
from core.ui.shell.state import Key

MOST_GROUPS = 12
ALL = "all chosen rows"


def draw_metric_charts(columns: Sequence[Column], rows: Rows, picked: Metric | None) -> None:
    """Three charts of the metric whose row is chosen (at first Token F1), each a way to the examples behind it."""
    ready = [column for column in columns if column.figures is not None]
    if not ready:
        return
    members = work.members(ready)
    own = next((one for one in members if one.needs == "answer"), None)
    member = picked or own or next(one for one in members if one.name == "token_f1")
    if picked is not None and picked.name != state.METRICS_ROW_SEEN.get():
        _keep(0, range(len(ready[0].examples)), f"{picked.label} of all chosen rows")
    state.METRICS_ROW_SEEN.set(picked.name if picked is not None else None)
    st.subheader(f"{problem.plain(member.label)}, more closely", anchor=False)
    bars, spread, two = st.tabs(
        ["By group", "Distribution", "Two metrics"], key=state.METRICS_TAB.name, on_change="rerun"
    )
    if bars.open:
        with bars:
            _bars(ready, rows, member)
    if spread.open:
        with spread:
            _distribution(ready, member)
    if two.open:
        with two:
            _scatter(ready[0], member)
    behind(ready, member)


def _choose(label: str, key: Key[str], members: Sequence[Metric], first: str) -> Metric:
    labels = {member.name: member.label for member in members}
    names = list(labels)
    start = names.index(first) if first in labels else 0
    chosen = st.selectbox(
        label, names, start, format_func=labels.__getitem__, key=key.name, persist_state="session", width=260
    )
    return members[names.index(chosen) if chosen in names else 0]


def groups(rows: Rows) -> list[tuple[str, set[str]]]:
    """All chosen rows, then each source and each slice that has some of them."""
    here = library.workspace()
    every = {e.id for e in rows.examples}
    found = [(ALL, every)]
    sources = dict.fromkeys(e.source for e in rows.examples if e.source)
    if len(sources) > 1:
        found += [(f"source {name}", {e.id for e in rows.examples if e.source == name}) for name in sources]
    found += [
        (f"slice {name}", set(here.marks.slice(rows.dataset.id, name)) & every)
        for name in here.marks.slices(rows.dataset.id)
    ]
    return [(name, ids) for name, ids in found if ids][:MOST_GROUPS]


def _bars(columns: Sequence[Column], rows: Rows, member: Metric) -> None:
    listed = groups(rows)
    lines = []
    for number, (name, ids) in enumerate(listed):
        found = [
            work.aggregates(c, np.array([rows.examples[i].id in ids for i in c.positions], dtype=bool))
            for c in columns
        ]
        figures = tuple(bar(one[member.name], place) for place, one in enumerate(found))
        if any(one[member.name].rows for one in found):
            kind, _, own = name.partition(" ") if name != ALL else ("", "", name)
            counted = f"{len(ids):,} row{'' if len(ids) == 1 else 's'}"
            lines.append(BarLine(own, figures, f"{kind}, {counted}" if kind else counted, str(number)))
    if not lines:
        st.info(f"No row has what {member.label} needs.")
        return
    series = [BarSeries(c.system.label, of_model(c.system.label)) for c in columns]
    picked = bar_table(
        [BarPanel(tuple(lines))],
        key=state.METRICS_GROUPS.name,
        about=f"{member.label} by group",
        series=series,
    )
    st.caption("Whiskers: 95 % intervals. Choose a group for its examples.")
    if picked is not None and picked != state.METRICS_GROUP_SEEN.get():
        name, ids = listed[int(picked)]
        _keep(0, [i for i, at in enumerate(columns[0].positions) if rows.examples[at].id in ids], name)
    state.METRICS_GROUP_SEEN.set(picked)


def _distribution(columns: Sequence[Column], member: Metric) -> None:
    series = {c.system.label: _values(c, member) for c in columns}
    event = st.plotly_chart(
        distribution({k: v.tolist() for k, v in series.items()}, units=member.units, theme=frame.theme()),
        theme=None,
        config={"displayModeBar": False},
        key=state.METRICS_DISTRIBUTION.name,
        on_select="rerun",
        selection_mode="points",
        alt=f"How {member.label} is distributed over the rows",
    )
    st.caption(f"{member.label} of each row by itself. Click a bar for its examples.")
    if (point := _clicked(event)) is not None:
        name, low, high, last = point
        place = list(series).index(name)
        values = series[name]
        inside = (values >= low) & ((values <= high) if last else (values < high))
        _keep(place, np.flatnonzero(inside).tolist(), f"{member.label} {low:.3g} to {high:.3g}")


def _scatter(column: Column, member: Metric) -> None:
    others = [m for m in work.members([column]) if m.name != member.name]
    other = _choose("Against", state.METRICS_OTHER, others, "length_ratio")
    x, y = _values(column, member), _values(column, other)
    both = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if not len(both):
        st.info(f"No row has both {member.label} and {other.label}.")
        return
    event = st.plotly_chart(
        scatter_of_two(
            x[both].tolist(),
            y[both].tolist(),
            [column.examples[i].id for i in both],
            [column.examples[i].prompt for i in both],
            names=(member.label, other.label),
            theme=frame.theme(),
        ),
        theme=None,
        config={"displayModeBar": False},
        key=state.METRICS_SCATTER.name,
        on_select="rerun",
        selection_mode=("points", "box", "lasso"),
        alt=f"{member.label} against {other.label}, one point a row",
    )
    st.caption(
        f"{problem.plain(column.system.label)}, one point a row. "
        "Click a point, or draw around several, for the examples."
    )
    points = (event.get("selection") or {}).get("points") or []
    chosen = {str(point["customdata"][0]) for point in points}
    if chosen:
        _keep(0, [i for i, e in enumerate(column.examples) if e.id in chosen], "the chosen points")


def _values(column: Column, member: Metric) -> np.ndarray[Any, Any]:
    assert column.figures is not None
    return column.figures[member.name].values


def _clicked(event: Any) -> Any:
    points = (event.get("selection") or {}).get("points") or []
    return points[0]["customdata"] if points else None


def _keep(place: int, indices: Sequence[int], label: str) -> None:
    state.METRICS_BEHIND.set((place, list(indices), label))


def _of(column: Column, columns: Sequence[Column]) -> str:
    return f" ({column.system.label})" if len(columns) > 1 else ""


def _responses(column: Column, asked: Column, indices: Sequence[int]) -> list[str]:
    """What `column`'s system answered to rows of `asked`; empty where it has not."""
    places = {position: place for place, position in enumerate(column.positions)}
    found = (places.get(asked.positions[i]) for i in indices)
    return ["" if place is None else column.rows[place].response or "" for place in found]


def behind(columns: Sequence[Column], member: Metric) -> None:
    """The examples behind the last click; one of them can be opened."""
    held = state.METRICS_BEHIND.get()
    if held is None or held[0] >= len(columns):
        return
    place, indices, label = held
    column = columns[place]
    indices = [i for i in indices if i < len(column.examples)]
    values = _values(column, member)
    st.subheader(
        f"Behind it: {problem.plain(label)}, {len(indices):,} row{'' if len(indices) == 1 else 's'}",
        anchor=False,
    )
    called = row_names(column.examples)
    listed = pd.DataFrame(
        {
            "Example": [called[column.examples[i].id] for i in indices],
            member.label: [values[i] for i in indices],
            "Target": [column.examples[i].target or "" for i in indices],
            **{f"Response{_of(c, columns)}": _responses(c, column, indices) for c in columns},
            "Prompt": [column.examples[i].prompt for i in indices],
        }
    )
    event: Any = st.dataframe(
        listed,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key=state.METRICS_BEHIND_TABLE.name,
    )
    picked = event.get("selection", {}).get("rows") or []
    if picked and picked[0] < len(indices):
        library.open_example(column.examples[indices[picked[0]]].id)
        st.page_link("pages/salience.py", label="Why this answer?", icon=":material/arrow_forward:")
