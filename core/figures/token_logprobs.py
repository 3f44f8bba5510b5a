"""How likely each token of an answer was, as bars. Other figures beside words are `core.ui.shell.bar_table`."""

from __future__ import annotations

import math

import plotly.graph_objects as go

from core.figures import palette
from core.figures.palette import Theme
from core.figures.style import escaped, frame, label
from core.records import Generation


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
