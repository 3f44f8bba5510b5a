"""Two to four models on one prompt: what each reacted to, and how likely each finds the other answers.

All models of a picture share one axis and one scale, so that lengths and colours can be compared.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.figures import palette
from core.figures.palette import Theme
from core.figures.style import escaped, faint, frame, label, passage, percent, scale
from core.records import Segment

_MOST_PARTS = 12
_PATTERNS = ("", "/", "x", ".")
"""A hatch a model: colour is never the only carrier."""


def _colours(theme: Theme) -> tuple[str, ...]:
    supports, opposes = palette.UNDERLINE[theme]
    return supports, opposes, palette.MUTED[theme], palette.SUPPORTS[theme]


def model_bars(
    names: Sequence[str],
    parts: Sequence[Segment],
    values: NDArray[np.floating],
    *,
    theme: Theme = "light",
    limit: int = _MOST_PARTS,
) -> go.Figure:
    """Shares (models, parts) as grouped bars, the part that is strongest for any model on top.

    `customdata` is (model, position in `parts`).
    """
    grid = np.asarray(values, np.float64).reshape(len(names), len(parts))
    order = np.argsort(-np.abs(grid).max(axis=0, initial=0), kind="stable")[:limit]
    shown = [parts[j] for j in order]
    figure = go.Figure(layout=frame(theme, height=90 + max(len(shown), 1) * (14 + 14 * len(names))))
    for m, name in enumerate(names):
        shares = [float(grid[m, j]) for j in order]
        colour = _colours(theme)[m % 4]
        figure.add_bar(
            x=shares,
            y=list(range(len(shown))),
            orientation="h",
            name=escaped(name),
            marker={
                "color": colour,
                "pattern": {
                    "shape": _PATTERNS[m % 4],
                    "fillmode": "overlay",
                    "fgcolor": palette.BACKGROUND[theme],
                    "fgopacity": 0.6,
                    "size": 6,
                },
            },
            text=[percent(share) for share in shares],
            textposition="outside",
            cliponaxis=False,
            customdata=[(m, int(j)) for j in order],
            hovertext=[
                f"<b>{percent(share)}</b> of {escaped(name)}'s influence<br>{passage(part.text)}"
                for share, part in zip(shares, shown)
            ],
            hoverinfo="text",
        )
    most = float(np.abs(grid).max(initial=0)) * 1.2 or 1.0
    figure.update_layout(barmode="group", bargap=0.3, bargroupgap=0.08)
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(shown))),
        ticktext=[label(part.text) for part in shown],
        range=[max(len(shown), 1) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
    )
    figure.update_xaxes(
        tickformat=".0%",
        title={"text": "share of the prompt's influence"},
        range=[-most if (grid < 0).any() else 0, most],
    )
    return figure


def cross_likelihood(
    names: Sequence[str], mean_nats: NDArray[np.floating], *, theme: Theme = "light"
) -> go.Figure:
    """How likely each model (columns) finds each model's answer (rows), a token, on the average.

    `mean_nats` (answers, judges): mean log-probability of an answer's tokens, NaN where it is not known. The
    number in a cell is its exponential, the geometric mean of the tokens' probabilities.
    """
    grid = np.asarray(mean_nats, np.float64).reshape(len(names), len(names))
    chance = np.exp(grid)
    shown = [[_said(chance[i, j]) for j in range(len(names))] for i in range(len(names))]
    hover = [
        [
            f"{escaped(judge)} finds {'its own answer' if i == j else f'the answer of {escaped(writer)}'}<br>"
            + (
                f"<b>{_said(chance[i, j])}</b> likely a token ({grid[i, j]:.3f} nats)"
                if math.isfinite(grid[i, j])
                else "(not known)"
            )
            for j, judge in enumerate(names)
        ]
        for i, writer in enumerate(names)
    ]
    ticks = {"tickmode": "array", "tickvals": list(range(len(names))), "showgrid": False, "zeroline": False}
    figure = go.Figure(
        go.Heatmap(
            z=chance,
            zmin=0,
            zmax=1,
            colorscale=scale(theme, False, 0.5),
            text=shown,
            texttemplate="%{text}",
            textfont={"color": palette.TEXT[theme], "size": 15},
            hovertext=hover,
            hoverinfo="text",
            xgap=2,
            ygap=2,
            showscale=False,
        ),
        frame(theme, height=130 + 44 * len(names)),
    )
    figure.layout.plot_bgcolor = faint(theme)
    wrapped = [label(name, 28) for name in names]
    figure.update_xaxes(**ticks, ticktext=wrapped, side="top", title={"text": "judged by", "standoff": 12})
    figure.update_yaxes(
        **ticks,
        ticktext=wrapped,
        title={"text": "answer of", "standoff": 12},
        range=[max(len(names), 1) - 0.5, -0.5],
    )
    return figure


def _said(chance: float) -> str:
    return f"{chance:.2f}" if math.isfinite(chance) else "–"
