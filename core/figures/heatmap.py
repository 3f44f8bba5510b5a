"""Heat maps: response segments against prompt segments, and plain tables.

Shares of each row are drawn, on one scale for all rows that has an absolute floor
(`core.aggregate.scale_top`). Segments that do not count (template, special) are left out. A click carries the
indices of its segments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.aggregate import countable, scale_top, share_of, shares
from core.figures import palette
from core.figures.palette import Theme
from core.figures.style import faint, frame, label, passage, percent, scale, targets
from core.records import Role, SegmentSalience

_MOST_TICKS = 80


def _grid(
    z: NDArray[Any],
    hover: Sequence[str],
    customdata: Sequence[Any],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    theme: Theme,
    signed: bool,
    top: float,
    strength: float,
    bar: str,
    axes: tuple[str, str],
) -> go.Figure:
    """A heat map over equal cells, row 0 on top, with the markers that take its clicks."""
    count, width = len(rows), len(columns)
    heat = go.Heatmap(
        z=z,
        zmin=-top if signed else 0,
        zmax=top,
        colorscale=scale(theme, signed, strength),
        hoverinfo="skip",
        xgap=1,
        ygap=1,
        colorbar={
            "title": {"text": bar, "side": "top", "font": {"size": 12}},
            "tickformat": ".0%",
            "thickness": 12,
            "outlinewidth": 0,
        },
    )
    y, x = np.divmod(np.arange(count * width), max(width, 1))
    figure = go.Figure([heat, targets(x.tolist(), y.tolist(), customdata, hover)])
    figure.layout = frame(theme, height=240 + min(900, 32 * count), hoverdistance=-1)
    # The gaps between cells show it as a fine grid, and a cell without a value as grey.
    figure.layout.plot_bgcolor = faint(theme)
    for axis, names, title in (("xaxis", columns, axes[1]), ("yaxis", rows, axes[0])):
        figure.layout[axis].update(
            tickmode="array",
            tickvals=list(range(len(names))) if len(names) <= _MOST_TICKS else [],
            ticktext=list(names) if len(names) <= _MOST_TICKS else [],
            title={"text": title},
            range=[-0.5, max(len(names), 1) - 0.5],
            showgrid=False,
            zeroline=False,
        )
    figure.update_xaxes(tickangle=-45)
    figure.update_yaxes(range=[max(count, 1) - 0.5, -0.5])
    return figure


def salience_heatmap(
    salience: SegmentSalience,
    *,
    signed: bool,
    units: str = "",
    negligible: float = 0.0,
    theme: Theme = "light",
    selected: Sequence[int] = (),
    strength: float = 0.5,
    clicks: bool = True,
) -> go.Figure:
    """The whole map in shares; `customdata` is (row segment's index, column segment's index).

    `selected` are indices of the response segments being explained: a frame is drawn around their rows.
    Rows that are not there yet (NaN) are left out. A row whose strongest score is below `negligible` (in
    `units`) is drawn pale.
    Without `clicks` the cells answer the pointer themselves and there is no layer of markers.
    """
    keep = countable(salience.column_segments)
    unit = f" {label(units)}" if units else ""
    columns = [s for s, kept in zip(salience.column_segments, keep) if kept]
    there = [bool(np.isfinite(row).all()) for row in salience.values]
    places = [i for i, s in enumerate(salience.row_segments) if s.role is not Role.TEMPLATE and there[i]]
    rows = [salience.row_segments[i] for i in places]
    raw = salience.values[np.ix_(np.array(places, np.int64), np.flatnonzero(keep))]
    parts = np.array([shares(row) for row in raw], np.float32).reshape(raw.shape)
    if not signed:
        parts = np.abs(parts)
    # Wrapping a text is the slow step, so it is done once a segment and not once a cell.
    on = [f"</b> of the influence on<br>{passage(r.text, lines=2)}<br>comes from<br>" for r in rows]
    of = [f"{passage(c.text)}<br>raw score " for c in columns]
    hover = [
        f"<b>{percent(float(parts[i, j]))}{on[i]}{of[j]}{raw[i, j]:.4g}{unit}"
        for i in range(len(rows))
        for j in range(len(columns))
    ]
    # A row of next to nothing is drawn weaker by itself: it must not make the others pale.
    weaker = [scale_top(p) / scale_top(p, None, share_of(negligible, r)) for p, r in zip(parts, raw)]
    if len(columns) < 2:
        weaker = [0.0] * len(rows)  # a lone part stands out from nothing, so it has no colour
    figure = _grid(
        parts * np.array(weaker, np.float32).reshape(-1, 1),
        hover,
        [(r.index, c.index) for r in rows for c in columns],
        [label(r.text, 36) for r in rows],
        [label(c.text, 24) for c in columns],
        theme=theme,
        signed=signed,
        top=max((scale_top(row) for row in parts), default=1.0),
        strength=strength,
        bar="share",
        axes=("what the model wrote", "the prompt"),
    )
    if not clicks:
        figure.data = figure.data[:1]
        boxes = [hover[i * len(columns) : (i + 1) * len(columns)] for i in range(len(rows))]
        figure.data[0].update(hoverinfo="text", hovertext=boxes)
    for i, row in enumerate(rows):
        if row.index in selected:
            figure.add_shape(
                type="rect",
                x0=-0.5,
                x1=max(len(columns), 1) - 0.5,
                y0=i - 0.5,
                y1=i + 0.5,
                line={"color": palette.TEXT[theme], "width": 2},
            )
    return figure


def prompt_heatmap(
    salience: SegmentSalience,
    names: Sequence[str],
    *,
    signed: bool,
    units: str = "",
    negligible: float = 0.0,
    theme: Theme = "light",
    selected: Sequence[int] = (),
    strength: float = 0.5,
    most: int = 40,
) -> go.Figure:
    """The map as people read it: prompt parts as rows, with horizontal labels, and answer parts as columns.

    `names` (columns of `salience`,) is what the page calls the prompt's parts. At most `most` rows, the
    strongest, in their order, and `most` columns around the first selected one. `customdata` is (answer
    part's index, prompt part's index); a frame is drawn around the columns of `selected`.
    """
    keep = countable(salience.column_segments)
    there = [bool(np.isfinite(row).all()) for row in salience.values]
    answer = [s for s in salience.row_segments if s.role is not Role.TEMPLATE and there[s.index]]
    if len(answer) > most:
        middle = next((at for at, s in enumerate(answer) if s.index in selected), len(answer) - 1)
        start = min(max(0, middle - most // 2), len(answer) - most)
        answer = answer[start : start + most]
    parts = [s for s, kept in zip(salience.column_segments, keep) if kept and s.text.strip()]
    every = np.array([shares(salience.values[s.index], keep) for s in answer], np.float32)
    every = every.reshape(len(answer), len(keep)) if signed else np.abs(every.reshape(len(answer), len(keep)))
    if len(parts) > most:
        strongest = sorted(parts, key=lambda s: -float(np.abs(every[:, s.index]).max(initial=0.0)))[:most]
        parts = sorted(strongest, key=lambda s: s.index)
    raw = salience.values[np.ix_([s.index for s in answer], [s.index for s in parts])].T
    cells = every[:, [s.index for s in parts]].T
    unit = f" {label(units)}" if units else ""
    on = [f"</b> of the influence on<br>{passage(s.text, lines=2)}<br>comes from<br>" for s in answer]
    of = [f"{label(names[s.index])}: {passage(s.text)}<br>raw score " for s in parts]
    hover = [
        f"<b>{percent(float(cells[i, j]))}{on[j]}{of[i]}{raw[i, j]:.4g}{unit}"
        for i in range(len(parts))
        for j in range(len(answer))
    ]
    if sum(map(bool, keep)) < 2:
        cells = np.zeros_like(cells)  # a lone part stands out from nothing, so it has no colour
    weaker = np.array(
        [
            scale_top(every[j], keep)
            / scale_top(every[j], keep, share_of(negligible, salience.values[s.index], keep))
            for j, s in enumerate(answer)
        ],
        np.float32,
    )
    figure = _grid(
        cells * weaker.reshape(1, -1),
        hover,
        [(s.index, c.index) for c in parts for s in answer],
        [f"{label(names[s.index], 12)}  {label(s.text, 26)}" for s in parts],
        [label(s.text, 10) if len(answer) <= 6 else str(at) for at, s in enumerate(answer, 1)],
        theme=theme,
        signed=signed,
        top=max((scale_top(row, keep) for row in every), default=1.0),
        strength=strength,
        bar="share",
        axes=("", "what the model wrote, part by part" if len(answer) > 6 else ""),
    )
    figure.update_xaxes(tickangle=0, side="top")
    figure.layout.height = 130 + 24 * max(len(parts), 1)
    figure.data[0].colorbar.update(
        orientation="h", y=0, yanchor="top", yref="paper", ypad=14, len=0.6, title={"text": ""}
    )
    for at, part in enumerate(answer):
        if part.index in selected:
            figure.add_shape(
                type="rect",
                x0=at - 0.5,
                x1=at + 0.5,
                y0=-0.5,
                y1=max(len(parts), 1) - 0.5,
                line={"color": palette.TEXT[theme], "width": 2},
            )
    return figure


def table_heatmap(
    values: NDArray[Any],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    theme: Theme = "light",
    strength: float = 0.5,
    axes: tuple[str, str] = ("row", "section"),
) -> go.Figure:
    """Shares (rows, columns), 0 to 1, such as those of a template's sections over the rows of a dataset.

    A value that is not a number (a section that a row lacks) stays empty. `customdata` is (row, column).
    """
    grid = np.asarray(values, np.float64).reshape(len(rows), len(columns))
    hover = [
        f"<b>{'no such part' if np.isnan(grid[i, j]) else percent(grid[i, j])}</b><br>{passage(r, lines=2)}"
        f"<br>{passage(c)}"
        for i, r in enumerate(rows)
        for j, c in enumerate(columns)
    ]
    return _grid(
        grid,
        hover,
        [(i, j) for i in range(len(rows)) for j in range(len(columns))],
        [label(r, 36) for r in rows],
        [label(c, 24) for c in columns],
        theme=theme,
        signed=False,
        top=max((scale_top(np.nan_to_num(row)) for row in grid), default=1.0),
        strength=strength,
        bar="share",
        axes=axes,
    )
