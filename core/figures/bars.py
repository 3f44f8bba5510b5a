"""Bars: the strongest parts of a prompt, who gained and lost, how likely each token was, intervals.

Bars lead where a map's colours mislead (long words look more important than they are). Lengths are shares,
probabilities in nats, or a metric's own units; each axis says which.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from core.figures import palette
from core.figures.palette import Theme
from core.figures.style import escaped, frame, label, passage, percent
from core.records import Generation

_ROW = 30


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and its interval (a bootstrap's 95 %, say), over `count` rows; `group` is one colour."""

    label: str
    value: float
    low: float
    high: float
    count: int = 0
    group: str = ""


def _names(figure: go.Figure, names: Sequence[str]) -> None:
    """Numbers with names instead of categories: two segments may read alike."""
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(names))),
        ticktext=list(names),
        range=[max(len(names), 1) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
    )


def _sides(values: Sequence[float], theme: Theme) -> list[str]:
    return [palette.UNDERLINE[theme][value < 0] for value in values]


def token_logprobs(generation: Generation, *, theme: Theme = "light") -> go.Figure:
    """How likely the model found each token of its response (nats); `customdata` is (its index in T,)."""
    first = generation.tokens.prompt_len
    pieces = generation.tokens.strings[first:]
    nats = [float(v) for v in generation.logprob_nats]
    shown = [_visible(piece) for piece in pieces]
    figure = go.Figure(
        go.Bar(
            x=list(range(len(nats))),
            y=nats,
            marker={"color": palette.UNDERLINE[theme][0]},
            customdata=[(first + i,) for i in range(len(nats))],
            hovertext=[
                f"<b>{escaped(text)}</b><br>{_probability(value)} likely<br>{value:.3f} nats"
                for text, value in zip(shown, nats)
            ],
            hoverinfo="text",
        ),
        frame(theme, height=280),
    )
    figure.update_xaxes(
        tickmode="array",
        tickvals=list(range(len(shown))) if len(shown) <= 120 else [],
        ticktext=[label(text, 16) for text in shown] if len(shown) <= 120 else [],
        tickangle=-60,
        showgrid=False,
        zeroline=False,
        range=[-0.5, max(len(nats), 1) - 0.5],
    )
    # A response of which the model was sure is flat at the top, not magnified noise.
    figure.update_yaxes(title={"text": "log-probability (nats)"}, range=[min(-1.0, *nats, 0) * 1.05, 0])
    return figure


def _visible(piece: str) -> str:
    """A token with its white space drawn; a special one without text says so."""
    return piece.replace("\n", "⏎").replace(" ", "·").replace("\t", "⇥") or "(end)"


def _probability(nats: float) -> str:
    chance = math.exp(nats)
    return f"{chance:.0%}" if chance >= 0.01 else f"1 in {1 / max(chance, 1e-12):,.0f}"


def interval_bars(
    items: Sequence[Interval],
    *,
    theme: Theme = "light",
    units: str = "",
    title: str = "",
    percentages: bool = False,
) -> go.Figure:
    """Bars with whiskers, in the order given; `customdata` is (position in `items`,).

    `percentages` draws values of 0 to 1 as percent. Groups are told apart by colour and in the legend.
    """
    groups = list(dict.fromkeys(item.group for item in items))
    lines = list(dict.fromkeys(item.label for item in items))
    colours = (*palette.UNDERLINE[theme], palette.MUTED[theme], palette.SUPPORTS[theme])
    figure = go.Figure(layout=frame(theme, title=escaped(title), barmode="group", height=90))
    for position, group in enumerate(groups):
        own = [(i, item) for i, item in enumerate(items) if item.group == group]
        figure.add_bar(
            name=escaped(group),
            showlegend=len(groups) > 1,
            orientation="h",
            x=[item.value for _, item in own],
            y=[lines.index(item.label) for _, item in own],
            marker={"color": colours[position % len(colours)]},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [item.high - item.value for _, item in own],
                "arrayminus": [item.value - item.low for _, item in own],
                "color": palette.TEXT[theme],
                "thickness": 1.5,
                "width": 4,
            },
            customdata=[(i,) for i, _ in own],
            hovertext=[_interval_hover(item, units, percentages) for _, item in own],
            hoverinfo="text",
        )
    figure.layout.height = 90 + _ROW * max(len(lines), 1) * max(1.0, 0.7 * len(groups))
    _names(figure, [label(line) for line in lines])
    figure.update_xaxes(title={"text": escaped(units)}, tickformat=".0%" if percentages else None)
    return figure


def _interval_hover(item: Interval, units: str, percentages: bool) -> str:
    def said(value: float) -> str:
        return percent(value) if percentages else f"{value:.4g}"

    rows = f"<br>{item.count:,} rows" if item.count else ""
    group = f" · {escaped(item.group)}" if item.group else ""
    tail = f" {escaped(units)}" if units and not percentages else ""
    return (
        f"<b>{said(item.value)}{tail}</b> ({said(item.low)} to {said(item.high)})"
        f"<br>{passage(item.label)}{group}{rows}"
    )
