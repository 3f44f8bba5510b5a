"""The figures: a table of every metric for every system, who is better, and how exactly it was computed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.errors import AppError
from core.metrics import REFERENCES, Aggregate, Metric, PairedTest
from core.ui.explaining.marks import of_model
from core.ui.metrics_page import work
from core.ui.metrics_page.work import Column
from core.ui.shell import problem, state
from core.ui.shell.bar_table import BarFigure, BarLine, BarPanel, BarSeries, bar_table

SURE = 0.05


def choose_metric(columns: Sequence[Column]) -> Metric | None:
    """One row a metric, a bar with its interval for each system. Returns the metric whose row is chosen."""
    found = [(c.system.label, work.aggregates(c)) for c in columns if c.figures is not None]
    if not found:
        return None
    series = [BarSeries(label, of_model(label)) for label, _ in found]
    members = work.members(columns)
    panel = BarPanel(tuple(lines(members, [figures for _, figures in found])))
    picked = bar_table([panel], key=state.METRICS_TABLE.name, about="Every metric", series=series)
    for label, figures in found:
        st.caption(problem.plain(f"{label}: {_counts(figures)}"))
    st.caption("Whiskers: 95 % intervals. A bar ends where the metric does; choose a row for its examples.")
    return next((member for member in members if member.name == picked), None)


def lines(members: Sequence[Metric], found: Sequence[dict[str, Aggregate]]) -> list[BarLine]:
    """A row a metric, a bar a system; a metric without an end has figures and no bar."""
    return [
        BarLine(
            member.label,
            tuple(bar(one[member.name], place) for place, one in enumerate(found)),
            f"{_direction(member)}; {_rows([one[member.name].rows for one in found])}",
            member.name,
        )
        for member in members
    ]


def bar(one: Aggregate, place: int) -> BarFigure:
    """A value on the track of its metric, with its interval in words beside it."""
    if not one.rows:
        return BarFigure("no value", series=place, note=one.note)
    text = f"{one.metric.show(one.value)}  ({'no interval' if one.note else _interval(one)})"
    low, high = one.metric.range
    if not (math.isfinite(low) and math.isfinite(high) and math.isfinite(one.value)):
        return BarFigure(text, series=place, note=one.note)
    value, *ends = ((part - low) / (high - low) for part in (one.value, one.low, one.high))
    told = all(math.isfinite(end) for end in ends)
    return BarFigure(text, value, ends[0] if told else None, ends[1] if told else None, None, place, one.note)


def _rows(counts: Sequence[int]) -> str:
    if len(set(counts)) == 1:
        return f"{counts[0]:,} row{'' if counts[0] == 1 else 's'}"
    return f"{' and '.join(f'{count:,}' for count in counts)} rows"


def _interval(one: Aggregate) -> str:
    if one.note or not one.rows:
        return one.note or "–"
    return f"{one.metric.show(one.low)} to {one.metric.show(one.high)}"


def _direction(member: Metric) -> str:
    better = {True: "higher is better", False: "lower is better", None: "no better side"}
    return f"{member.units}, {better[member.higher_is_better]}"


def _counts(figures: dict[str, Aggregate]) -> str:
    """Rows that count and those left out, for the metrics of the text and those of the model's scores."""
    text = next(one for one in figures.values() if one.metric.needs == "text")
    scores = next(one for one in figures.values() if one.metric.needs == "logprob")
    checks = next((one for one in figures.values() if one.metric.needs == "answer"), None)
    own = f"your checks: {checks.sentence}. Metrics" if checks is not None else "metrics"
    return f"{own} of the text: {text.sentence}. Metrics of the target's probability: {scores.sentence}."


def versus(columns: Sequence[Column]) -> None:
    """Every later system against the first, row by row: difference, interval, p of the paired bootstrap."""
    ready = [column for column in columns if column.figures is not None]
    if len(ready) < 2:
        return
    first = ready[0]
    st.subheader("Is the difference real?", anchor=False)
    for other in ready[1:]:
        rows = []
        for member in work.members([first, other]):
            try:
                seen = work.paired(first, other, member.name)
            except AppError:
                continue
            rows.append(
                {
                    "Metric": member.label,
                    first.system.label: member.show(seen.first),
                    other.system.label: member.show(seen.second),
                    "Difference": f"{seen.difference:+.{member.decimals}f}",
                    "95 % interval": _spread(seen),
                    "p": _chance(seen.p),
                    "Reads as": _reading(member, seen.difference, seen.p, other.system.label),
                    "Test": seen.test,
                    "N": seen.rows,
                }
            )
        if rows:
            st.dataframe(
                pd.DataFrame(rows), hide_index=True, width="stretch", height=35 * (len(rows) + 1) + 3
            )
        else:
            st.info("The two have no row in common that can be compared.")
    st.caption(
        "Two-sided tests, row by row: McNemar's exact test for shares of right and wrong, a paired bootstrap of "
        "1,000 resamples for the rest. p is how often a difference this large would come about by the choice of "
        "rows alone. With many metrics some are below 0.05 by chance."
    )


def _spread(seen: PairedTest) -> str:
    if not math.isfinite(seen.low):
        return "every row differs alike"
    decimals = seen.metric.decimals
    return f"{seen.low:+.{decimals}f} to {seen.high:+.{decimals}f}"


def _chance(p: float) -> str:
    if not math.isfinite(p):
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _reading(member: Metric, difference: float, p: float, other: str) -> str:
    if not math.isfinite(p):
        return "cannot be tested"
    if not p < SURE:
        return "no clear difference"
    if member.higher_is_better is None:
        return "different"
    return f"{other} is {'better' if (difference > 0) == member.higher_is_better else 'worse'}"


def how_computed(columns: Sequence[Column]) -> None:
    """The signatures, for a paper or a report."""
    ready = next((column for column in columns if column.figures is not None), None)
    if ready is None:
        return
    with st.expander("How each is computed"):
        figures = work.aggregates(ready)
        for member in work.members(columns):
            signature = figures[member.name].signature
            several = REFERENCES[member.references]
            st.markdown(
                f"**{problem.plain(member.label)}**: {problem.plain(f'{member.description} {several}')}"
            )
            if signature:
                st.code(signature, language=None)
        st.caption(
            "Values are of all rows together (for means: the mean of the rows). 95 % intervals: exact (Clopper "
            "and Pearson) for shares, else bootstrap over rows, 1,000 resamples, 2.5th to 97.5th percentile. Empty "
            "targets, errors and stopped answers are left out; a model's thinking is no part of its answer."
        )
