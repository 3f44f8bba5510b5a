"""The benchmark as rows of bars: how many of a hundred causes each method names first, overall and by task.

Pure functions over `core.faithfulness.results`. "87 of 100" is the share over all prompts, whatever their number.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.faithfulness import MeanWithInterval
from core.faithfulness.results import FULL, RANDOM_WEIGHTS, BenchmarkResults, BenchmarkRow
from core.metrics.shares import exact
from core.salience import METHODS
from core.ui.explaining.marks import of_method
from core.ui.shell.bar_table import BarFigure, BarLine, BarPanel, BarSeries
from core.ui.trust_page.words import GRADIENT_GOAL, LEAVE_ONE_OUT_GOAL, SHOWN_CONTROLS, of_hundred, task_name

ORDER = (*(member.name for member in METHODS), *SHOWN_CONTROLS)


def series() -> tuple[BarSeries, ...]:
    """One for each method, in the order of the family, and one for all controls."""
    return (*(BarSeries(m.label, of_method(m.name)) for m in METHODS), BarSeries("control", of_method("")))


def overall(found: BenchmarkResults) -> BarPanel:
    """A line for each method over all prompts whose cause is known, the best first, then a random order.

    Methods that were seen on few of the prompts come after the others: luck must not lead.
    """
    rows = {m.name: [r for r in found.rows if r.method == m.name and r.arm == FULL] for m in METHODS}
    chance = [r for r in found.rows if r.method == "random" and r.control]
    firsts = {name: _pooled(own, "top1") for name, own in rows.items()}
    most = max((first.count for first in firsts.values()), default=0)
    order = sorted(
        (m for m in METHODS if firsts[m.name].count),
        key=lambda m: (firsts[m.name].count * 4 < most, -firsts[m.name].value),
    )
    lines = [_line(m.label, m.name, firsts[m.name], _pooled(rows[m.name], "top3")) for m in order]
    if chance:
        lines.append(_line("A random order", "", _pooled(chance, "top1"), _pooled(chance, "top3")))
    return BarPanel(tuple(lines))


def by_task(found: BenchmarkResults) -> tuple[BarPanel, ...]:
    """A panel for each task that plants a cause: methods, the two controls, the first method on random weights."""
    panels = []
    for task in found.tasks:
        rows = [row for row in found.rows if row.task == task.key and "top1" in row.measures]
        own = [row for row in rows if _shown(row, _twin(rows))]
        own.sort(key=lambda row: (row.arm == RANDOM_WEIGHTS, row.control, _place(row.method)))
        if own:
            lines = tuple(_line_of(row) for row in own)
            panels.append(BarPanel(lines, task_name(task.key), f"{task.verified:,} prompts"))
    return tuple(panels)


def _twin(rows: Sequence[BenchmarkRow]) -> str:
    """The first method that was tried on random weights too."""
    tried = {row.method for row in rows if row.arm == RANDOM_WEIGHTS}
    return next((member.name for member in METHODS if member.name in tried), "")


def _shown(row: BenchmarkRow, twin: str) -> bool:
    if row.arm == RANDOM_WEIGHTS:
        return row.method == twin
    return row.arm == FULL and (not row.control or row.method in SHOWN_CONTROLS)


def _place(method: str) -> int:
    return ORDER.index(method) if method in ORDER else len(ORDER)


def _pooled(rows: Sequence[BenchmarkRow], measure: str) -> MeanWithInterval:
    """The share over the prompts of all rows, with the exact interval of a share."""
    known = [row.measures[measure] for row in rows if measure in row.measures and row.measures[measure].count]
    prompts = sum(one.count for one in known)
    hits = round(sum(one.value * one.count for one in known))
    low, high = exact(hits, prompts)
    return MeanWithInterval(hits / max(prompts, 1), low, high, prompts)


def _line(label: str, method: str, first: MeanWithInterval, third: MeanWithInterval) -> BarLine:
    note = f"{first.count:,} prompts; among its first three in {of_hundred(third.value)}"
    return BarLine(label, (_bar(first, method),), note)


def _line_of(row: BenchmarkRow) -> BarLine:
    twin = row.arm == RANDOM_WEIGHTS
    goal = None
    if not (twin or row.control) and row.task != "fact_twice":
        goal = LEAVE_ONE_OUT_GOAL if row.method == "leave_one_out" else GRADIENT_GOAL
    label = f"{row.label}, random weights" if twin and "random weights" not in row.label else row.label
    return BarLine(label, (_bar(row.measures["top1"], "" if twin or row.control else row.method, goal),))


def _bar(first: MeanWithInterval, method: str, goal: float | None = None) -> BarFigure:
    names = [member.name for member in METHODS]
    said = f"{first.low:.0%} to {first.high:.0%} (95 % interval, {first.count:,} prompts)"
    place = names.index(method) if method in names else len(names)
    return BarFigure(of_hundred(first.value), first.value, first.low, first.high, goal, place, said)
