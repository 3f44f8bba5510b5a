"""The benchmark of salience methods against causes that are known because they were planted.

One row of dots a task and one dot with its interval a method; controls are grey, a goal is a tick. Knows no
model: the hits come from `core.faithfulness`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from core.figures import palette
from core.figures.palette import Theme
from core.figures.style import escaped, frame, label, percent


@dataclass(frozen=True, slots=True)
class Hit:
    """How often one method put the cause first, 0 to 1, with its 95 % interval, over `prompts` prompts."""

    task: str
    method: str
    value: float
    low: float
    high: float
    prompts: int = 0
    control: bool = False
    goal: float | None = None


def planted_causes(
    hits: Sequence[Hit], *, theme: Theme = "light", measure: str = "cause ranked first"
) -> go.Figure:
    """Tasks from top to bottom in the order given; `customdata` is (position in `hits`,)."""
    tasks = list(dict.fromkeys(hit.task for hit in hits))
    methods = list(dict.fromkeys(hit.method for hit in hits))
    symbols = ("circle", "diamond", "square", "triangle-up", "star", "hexagon", "cross", "triangle-down")
    figure = go.Figure(layout=frame(theme, height=110 + max(len(tasks), 1) * (24 + 13 * len(methods))))
    for place, method in enumerate(methods):
        own = [(i, hit) for i, hit in enumerate(hits) if hit.method == method]
        control = any(hit.control for _, hit in own)
        colours = (*palette.UNDERLINE[theme], palette.SUPPORTS[theme], palette.OPPOSES[theme])
        colour = palette.MUTED[theme] if control else colours[place % len(colours)]
        figure.add_scatter(
            name=escaped(method),
            mode="markers",
            x=[hit.value for _, hit in own],
            y=[tasks.index(hit.task) + _offset(place, len(methods)) for _, hit in own],
            marker={
                "size": 10,
                "color": colour,
                "symbol": f"{symbols[place % len(symbols)]}-open"
                if control
                else symbols[place % len(symbols)],
            },
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [hit.high - hit.value for _, hit in own],
                "arrayminus": [hit.value - hit.low for _, hit in own],
                "color": colour,
                "thickness": 1.5,
                "width": 3,
            },
            customdata=[(i,) for i, _ in own],
            hovertext=[
                f"<b>{escaped(hit.method)}</b>, {label(hit.task)}<br>{percent(hit.value)} "
                f"({percent(hit.low)} to {percent(hit.high)})"
                + (f"<br>{hit.prompts:,} prompts" if hit.prompts else "")
                + (f"<br>goal {percent(hit.goal)}" if hit.goal is not None else "")
                for _, hit in own
            ],
            hoverinfo="text",
        )
    for row, task in enumerate(tasks):
        for goal in sorted({hit.goal for hit in hits if hit.task == task and hit.goal is not None}):
            figure.add_shape(
                type="line",
                x0=goal,
                x1=goal,
                y0=row - 0.45,
                y1=row + 0.45,
                line={"color": palette.TEXT[theme], "width": 1.5, "dash": "dot"},
            )
    figure.update_xaxes(
        range=[-0.02, 1.02], tickformat=".0%", title={"text": escaped(measure)}, zeroline=False
    )
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(tasks))),
        ticktext=[label(task, 36) for task in tasks],
        range=[max(len(tasks), 1) - 0.5, -0.5],
        zeroline=False,
    )
    return figure


def _offset(place: int, count: int) -> float:
    """Methods of one task stand under each other, in 80 % of its row."""
    return 0.0 if count < 2 else (place / (count - 1) - 0.5) * 0.8
