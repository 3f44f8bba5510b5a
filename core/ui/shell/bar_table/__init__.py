"""A table whose figures are bars: whole labels that wrap, a bar with its whisker and its figure beside each.

For figures that stand beside words: shares before and after, methods by task, metrics by model. Labels are never cut
and never turned; a row can be chosen by pointer and keyboard. Drawn in the browser (`st.components.v2`, HTML, CSS and
JavaScript in this folder); texts get there as text nodes only. Knows no method, metric or model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from core.compare import Run
from core.figures.marks import Mark, mark
from core.figures.room import ROOM_STEP, ROOM_STEPS

_HERE = Path(__file__).parent


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


_mount = st.components.v2.component(
    "whence_bar_table",
    html='<div class="whence-bars"></div>',
    css=_read("style.css"),
    js=_read("main.js"),
    isolate_styles=False,
)


@dataclass(frozen=True, slots=True)
class BarFigure:
    """One figure: its words, and where the bar ends, its interval and its goal, as parts of the track.

    `value`, `low`, `high` and `goal` are −1 to 1; None draws nothing. `series` is the place
    in the table's series; `note` is told on hover and to screen readers.
    """

    text: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    goal: float | None = None
    series: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class BarLine:
    """One row: what it is about, small words under it, its bars; `changes` show the label's words as a difference,
    `came_of_it` stands under the row's bars.

    `name` is what a choice of the row gives back; a row without one cannot be chosen.
    """

    label: str
    bars: tuple[BarFigure, ...]
    note: str = ""
    name: str = ""
    changes: tuple[Run, ...] = ()
    came_of_it: tuple[Run, ...] = ()


@dataclass(frozen=True, slots=True)
class BarPanel:
    """Rows under a heading; several stand side by side where there is room."""

    lines: tuple[BarLine, ...]
    title: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class BarSeries:
    """What one kind of bar is, and how it is drawn everywhere."""

    name: str
    mark: Mark


def described(
    panels: Sequence[BarPanel], series: Sequence[BarSeries], *, signed: bool, about: str
) -> dict[str, Any]:
    """The form that travels to the browser: JSON-serialisable, nothing in it is markup."""
    known = series or (BarSeries("", mark(0)),)
    return {
        "about": about,
        "zero": _zero(panels, signed),
        "series": [
            {
                "name": s.name,
                "sign": s.mark.sign,
                "light": s.mark.light,
                "dark": s.mark.dark,
                "hatch": s.mark.hatch,
            }
            for s in known
        ],
        "panels": [
            {
                "title": panel.title,
                "note": panel.note,
                "lines": [
                    {
                        "label": line.label,
                        "note": line.note,
                        "name": line.name,
                        "changes": [[run.change, run.text] for run in line.changes],
                        "came": [[run.change, run.text] for run in line.came_of_it],
                        "bars": [
                            {
                                "text": bar.text,
                                "value": bar.value,
                                "low": bar.low,
                                "high": bar.high,
                                "goal": bar.goal,
                                "series": bar.series,
                                "note": bar.note,
                            }
                            for bar in line.bars
                        ],
                    }
                    for line in panel.lines
                ],
            }
            for panel in panels
        ],
    }


def bar_table(
    panels: Sequence[BarPanel],
    *,
    key: str,
    about: str,
    series: Sequence[BarSeries] = (),
    signed: bool = False,
    legend: bool = True,
) -> str | None:
    """Draw the panels. Returns the `name` of the row that is chosen, None where none is.

    - `about`: what the figures are, for screen readers: the name of the region. Unique on a page.
    - `series`: what the bars of a row are; a legend stands above where there are several, unless the labels say it.
    - `signed`: bars start in the middle; without it, as far from the left as the lowest value or interval needs.
    """
    with st.container(key=place(key, panels, legend=legend and len(series) > 1)):
        found = _mount(
            key=key,
            data={**described(panels, series, signed=signed, about=about), "legend": legend},
            on_picked_change=_nothing,
        )
    picked = getattr(found, "picked", None)
    names = {line.name for panel in panels for line in panel.lines if line.name}
    return picked if picked in names else None


def _zero(panels: Sequence[BarPanel], signed: bool) -> float:
    """Where 0 stands on the track, 0 to 1: no value is left undrawn because it is negative."""
    if signed:
        return 0.5
    bars = [bar for panel in panels for line in panel.lines for bar in line.bars]
    lowest = min((at for bar in bars for at in (bar.value, bar.low) if at is not None), default=0.0)
    return max(-lowest, 0.0) / (1 + max(-lowest, 0.0))


_LINE, _NOTE, _PADDING, _HEAD = 21.75, 19.0, 12.2, 22.0


def room(panels: Sequence[BarPanel], *, legend: bool, wide: bool) -> int:
    """Pixels that the table takes at least, so that what stands below it need not move when it comes (style.css).

    `wide`: words beside their bars, and three panels beside each other.
    """

    def height(panel: BarPanel) -> float:
        total = _HEAD * bool(panel.title) + _NOTE * bool(panel.note)
        for line in panel.lines:
            words = _LINE + _NOTE * bool(line.note)
            bars = _LINE * (len(line.bars) + bool(line.came_of_it))
            stacked = not wide and len(panels) == 1
            total += (words + bars if stacked else max(words, bars)) + _PADDING
        return total

    heights = [height(panel) for panel in panels]
    columns = 3 if wide else 1
    rows = [max(heights[at : at + columns]) for at in range(0, len(heights), columns)]
    return int(sum(rows) + 20 * max(len(rows) - 1, 0) + 29 * legend)


def place(key: str, panels: Sequence[BarPanel], *, legend: bool) -> str:
    """Key of the container that keeps the table's room: the frame's style sheet knows it by its two numbers.

    They count steps of `ROOM_STEP` pixels, on a wide and on a narrow page.
    """
    wide, narrow = (room(panels, legend=legend, wide=wide) // ROOM_STEP for wide in (True, False))
    return f"bars {key} wide{min(wide, ROOM_STEPS)} narrow{min(narrow, ROOM_STEPS)} end"


def _nothing() -> None:
    """Streamlit gives a state a name only where a callback is named for it."""
