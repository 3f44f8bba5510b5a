"""Deletion and insertion curves: an answer's probability as parts of its prompt are removed or put in.

The measure is that of Petsiuk, Das and Saenko, "RISE" (2018), over segments and in nats. Knows no model: the
figures come from `core.faithfulness`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from core.figures.marks import CONTROL, Mark, mark
from core.figures.palette import Theme
from core.figures.style import escaped, frame, passage, percent


@dataclass(frozen=True, slots=True)
class Curve:
    """One order of removal (or insertion): `logprob_nats[k]` of the target after `parts[k]`.

    `parts` rise from 0 to 1; `steps[k]` is the text that went last ("" at 0). `low` and `high` are an
    interval over repeats (random orders), empty where there is one. `mark` is how it is drawn on every page; a
    `control` is drawn grey and dashed.
    """

    label: str
    parts: tuple[float, ...]
    logprob_nats: tuple[float, ...]
    steps: tuple[str, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    control: bool = False
    mark: Mark | None = None


def deletion_curves(
    curves: Sequence[Curve], *, theme: Theme = "light", title: str = "", removed: bool = True
) -> go.Figure:
    """One line a curve; `customdata` is (position in `curves`, step). `removed` False: parts are put in."""
    figure = go.Figure(layout=frame(theme, height=360, title=escaped(title)))
    for position, curve in enumerate(curves):
        drawn = CONTROL if curve.control else curve.mark or mark(position)
        colour = drawn.colour(theme)
        if curve.low:
            figure.add_scatter(
                x=[*curve.parts, *reversed(curve.parts)],
                y=[*curve.high, *reversed(curve.low)],
                fill="toself",
                fillcolor=colour,
                opacity=0.18,
                line={"width": 0},
                hoverinfo="skip",
                showlegend=False,
                mode="lines",
            )
        verb = "removed" if removed else "put in"
        steps = curve.steps or ("",) * len(curve.parts)
        figure.add_scatter(
            x=list(curve.parts),
            y=list(curve.logprob_nats),
            mode="lines+markers",
            name=escaped(curve.label),
            line={"color": colour, "width": 2, "dash": drawn.dash},
            marker={"size": 7, "color": colour, "symbol": drawn.symbol},
            customdata=[(position, step) for step in range(len(curve.parts))],
            hovertext=[
                f"<b>{escaped(curve.label)}</b><br>{percent(part)} of the parts {verb}: {nats:.2f} nats"
                + (f"<br>last {verb}:<br>{passage(step)}" if step else "")
                for part, nats, step in zip(curve.parts, curve.logprob_nats, steps)
            ],
            hoverinfo="text",
        )
    figure.update_xaxes(
        tickformat=".0%",
        range=[-0.01, 1.01],
        zeroline=False,
        title={"text": f"parts of the prompt {'removed' if removed else 'put in'}, strongest first"},
    )
    figure.update_yaxes(title={"text": "log-probability of the answer (nats)"}, zeroline=False)
    return figure
