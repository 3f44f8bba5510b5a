"""Which version wins: share right with its interval, better, worse, same against the baseline, per slice and take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.figures.style import percent
from core.prompt_table import COUNTINGS, Counting, PromptTable, Standing, standings
from core.prompt_table.standing import take_shares
from core.ui.explaining.marks import of_version
from core.ui.shell import library, problem, state
from core.ui.shell.bar_table import BarFigure, BarLine, BarPanel, BarSeries, bar_table

SURE = 0.05
ALL = "All rows"
MOST_SLICES = 12


@dataclass(frozen=True)
class TableReading:
    """How the table is read: against which column, by which rule, over which rows (R,)."""

    baseline: int
    counting: Counting
    mask: NDArray[np.bool_]


def choose_reading(made: PromptTable) -> TableReading:
    """Draw the choice of baseline, rule and slice."""
    labels, key = made.labels, made.plan.key[:12]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        base = made.plan.baseline
        if len(labels) > 1:
            base = st.selectbox(
                "Baseline",
                range(len(labels)),
                format_func=labels.__getitem__,
                key=state.TABLE_BASELINE(key).name,
                persist_state="session",
                width=260,
                help="What the other columns are set against.",
            )
        counting: Counting = "share"
        if len(made.as_it_is.plan.takes) > 1:
            counting = (
                st.selectbox(
                    "A row counts by",
                    list(COUNTINGS),
                    format_func=COUNTINGS.__getitem__,
                    key=state.TABLE_COUNTING.name,
                    persist_state="session",
                    width=360,
                )
                or "share"
            )
        groups = slices_of(made)
        picked = ALL
        if groups:
            picked = st.selectbox(
                "Slice", [ALL, *groups], key=state.TABLE_SLICE(key).name, persist_state="session", width=220
            )
    mask = groups.get(picked or ALL, np.ones(len(made.rows), bool))
    return TableReading(int(base or 0), counting, mask)


def slices_of(made: PromptTable) -> dict[str, NDArray[np.bool_]]:
    """Rows (R,) of each slice of the dataset, and of each source where there are several."""
    marks, ids = library.workspace().marks, [row.id for row in made.rows]
    found: dict[str, NDArray[np.bool_]] = {}
    for name in marks.slices(made.plan.dataset_id):
        inside = set(marks.slice(made.plan.dataset_id, name))
        found[name] = np.array([one in inside for one in ids], bool)
    sources = list(dict.fromkeys(row.group for row in made.rows if row.group))
    if 1 < len(sources) <= MOST_SLICES:
        groups = np.array([row.group for row in made.rows], object)
        found |= {f"source: {name}": groups == name for name in sources}
    return {name: mask for name, mask in found.items() if mask.any()}


def draw_figures(made: PromptTable, reading: TableReading) -> None:
    """The verdict in a sentence, a bar a column, and the paired figures."""
    plain = made.as_it_is
    found = standings(plain, reading.counting, reading.mask, reading.baseline)
    st.markdown(f"**{problem.plain(sentence(found, reading.baseline))}**")
    panel = BarPanel(tuple(_line(one, at) for at, one in enumerate(found)))
    series = [BarSeries(one.label, of_version(one.label)) for one in found]
    key = state.TABLE_FIGURES(made.plan.key[:12]).name
    bar_table([panel], key=key, about="Share of right answers", series=series, legend=False)
    if len(found) > 1:
        st.dataframe(
            pd.DataFrame([paired_line(one) for at, one in enumerate(found) if at != reading.baseline]),
            hide_index=True,
            height="content",
            alt="Each version against the baseline",
        )
    st.caption(
        "Whiskers: 95 % intervals of the share right. Better, worse and same count the rows that are decided under "
        "both; p is two-sided: how often the rows that turned would fall so unevenly by chance (McNemar, exact; with "
        "several answers a cell, the signs of the rows' differences, exact)."
    )
    _by_slice(plain, reading)
    _by_take(made, reading)


def sentence(found: tuple[Standing, ...], base: int) -> str:
    """Who wins, or that nobody clearly does."""
    if not found[base].answered:
        return "Nothing is answered yet."
    tested = [one for one in found if one.against is not None]
    if not tested:
        return f"{found[base].label} is right in {_share(found[base])}."
    best = max(tested, key=lambda one: one.against.difference if one.against else 0.0)
    worst = min(tested, key=lambda one: one.against.difference if one.against else 0.0)
    for one, word in ((best, "better"), (worst, "worse")):
        test = one.against
        if (
            test is not None
            and test.p < SURE
            and (test.difference > 0) == (word == "better")
            and test.difference
        ):
            return (
                f"{one.label} is {word} than {found[base].label}: {_share(one)} against {_share(found[base])}; "
                f"better on {one.better:,} rows, worse on {one.worse:,} (p {chance(test.p)})."
            )
    if not any(one.better or one.worse for one in tested):
        return "All come out alike: no row turned."
    tested_text = "; ".join(
        f"{one.label}: better on {one.better:,}, worse on {one.worse:,} (p {chance(one.against.p)})"
        for one in tested[:3]
        if one.against is not None
    )
    return f"No clear winner over {found[base].label}. {tested_text}."


def paired_line(one: Standing) -> dict[str, Any]:
    """A column against the baseline, as a line of a table."""
    test = one.against
    line: dict[str, Any] = {"Against the baseline": one.label, "Better": one.better, "Worse": one.worse}
    line |= {"Same": one.same}
    if test is None:
        return line | {"Difference": "–", "95 % interval": "–", "p": "–", "Rows": 0}
    spread = f"{test.low:+.1%} to {test.high:+.1%}" if math.isfinite(test.low) else "–"
    return line | {
        "Difference": f"{test.difference:+.1%}",
        "95 % interval": spread,
        "p": chance(test.p),
        "Rows": test.rows,
    }


def chance(p: float) -> str:
    """A p in words: "< 0.001"."""
    return "–" if not math.isfinite(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def _share(one: Standing) -> str:
    return f"{one.value.value:.1%} of {one.value.rows:,} rows" if one.value.rows else "no row"


def _line(one: Standing, place: int) -> BarLine:
    value = one.value
    if not value.rows:
        return BarLine(one.label, (BarFigure("not decided", series=place),), value.sentence)
    text = (
        f"{value.value:.1%}  ({value.low:.1%} to {value.high:.1%})"
        if math.isfinite(value.low)
        else f"{value.value:.1%}"
    )
    known = math.isfinite(value.low)
    low, high = (value.low, value.high) if known else (None, None)
    note = value.sentence
    if math.isfinite(one.spread):
        note += f"; {percent(one.spread)} between its best and worst take"
    return BarLine(one.label, (BarFigure(text, value.value, low, high, None, place),), note)


def _by_slice(made: PromptTable, reading: TableReading) -> None:
    groups = slices_of(made)
    if not groups or len(made.labels) < 2 or not reading.mask.all():
        return
    lines = []
    for name, mask in list(groups.items())[:MOST_SLICES]:
        found = standings(made, reading.counting, mask, reading.baseline)
        for at, one in enumerate(found):
            if at != reading.baseline:
                lines.append({"Slice": name, "Baseline": _share(found[reading.baseline]), **paired_line(one)})
    with st.expander(f"By slice ({len(groups)})"):
        st.dataframe(pd.DataFrame(lines), hide_index=True, alt="Each version against the baseline, by slice")


def _by_take(made: PromptTable, reading: TableReading) -> None:
    takes = made.plan.takes
    if len(takes) < 2:
        return
    shares = [take_shares(made, at, reading.mask) for at in range(len(made.labels))]
    lines = [
        {"Take": f"change: {take.change}" if take.change else f"as it is, seed {take.seed}"}
        | {
            label: f"{shares[at][k]:.1%}" if math.isfinite(shares[at][k]) else "–"
            for at, label in enumerate(made.labels)
        }
        for k, take in enumerate(takes)
    ]
    found = standings(made, reading.counting, reading.mask, reading.baseline)
    spread = {"Take": "spread"} | {
        one.label: f"{one.spread:.1%}" if math.isfinite(one.spread) else "–" for one in found
    }
    with st.expander(
        "How it holds under other seeds and small changes", expanded=any(t.change for t in takes)
    ):
        st.dataframe(pd.DataFrame([*lines, spread]), hide_index=True, alt="Share right of each take")
