"""A dataset's numbers: how one measure is distributed, and how two go together, with the examples behind.

Knows neither metrics nor datasets: values with ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go

from core.figures import palette
from core.figures.palette import Theme
from core.figures.style import WEBGL_ABOVE, escaped, frame, passage


def _colours(theme: Theme) -> tuple[str, ...]:
    return (*palette.UNDERLINE[theme], palette.MUTED[theme], palette.SUPPORTS[theme])


def distribution(
    series: Mapping[str, Sequence[float]], *, units: str = "", theme: Theme = "light", bins: int = 20
) -> go.Figure:
    """A histogram a series over common bins; `customdata` is (series, low, high, whether high is included).

    Values that are not numbers are left out. With it a click finds its rows: low <= value < high.
    """
    kept = {
        name: np.asarray(v, np.float64)[np.isfinite(np.asarray(v, np.float64))] for name, v in series.items()
    }
    every = np.concatenate([*kept.values(), np.zeros(0)])
    figure = go.Figure(layout=frame(theme, height=320, barmode="group", bargap=0.05))
    if len(every):
        edges = np.histogram_bin_edges(every, bins)
        for position, (name, values) in enumerate(kept.items()):
            counts, _ = np.histogram(values, edges)
            figure.add_bar(
                name=escaped(name),
                showlegend=len(kept) > 1,
                x=((edges[:-1] + edges[1:]) / 2).tolist(),
                y=counts.tolist(),
                marker={"color": _colours(theme)[position % 4]},
                customdata=[
                    (name, low, high, i == len(counts) - 1)
                    for i, (low, high) in enumerate(pairwise(edges.tolist()))
                ],
                hovertext=[
                    f"<b>{count:,} rows</b><br>{low:.3g} to {high:.3g} {escaped(units)}<br>{escaped(name)}"
                    for count, low, high in zip(counts.tolist(), edges[:-1], edges[1:])
                ],
                hoverinfo="text",
            )
    figure.update_xaxes(title={"text": escaped(units)})
    figure.update_yaxes(title={"text": "rows"}, rangemode="tozero")
    return figure


def scatter_of_two(
    x: Sequence[float],
    y: Sequence[float],
    ids: Sequence[str],
    texts: Sequence[str] = (),
    *,
    names: tuple[str, str],
    theme: Theme = "light",
) -> go.Figure:
    """One point an example; `customdata` is (example's id,). `texts` (say its prompt) show on hover."""
    kind = go.Scattergl if len(ids) > WEBGL_ABOVE else go.Scatter
    shown = texts or ids
    figure = go.Figure(
        kind(
            x=list(x),
            y=list(y),
            mode="markers",
            marker={"size": 8, "opacity": 0.65, "color": palette.UNDERLINE[theme][0]},
            customdata=[(i,) for i in ids],
            hovertext=[
                f"{escaped(names[0])} <b>{a:.3g}</b><br>{escaped(names[1])} <b>{b:.3g}</b>"
                f"<br>{passage(text, lines=3)}"
                for a, b, text in zip(x, y, shown)
            ],
            hoverinfo="text",
            showlegend=False,
        ),
        frame(theme, height=420),
    )
    figure.update_xaxes(title={"text": escaped(names[0])})
    figure.update_yaxes(title={"text": escaped(names[1])})
    return figure
