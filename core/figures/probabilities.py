"""How likely the model found each token of its own answer: bars from 0 to 1, with what else it weighed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from core.figures import palette
from core.figures.palette import Theme
from core.figures.style import escaped, frame, label
from core.records import Generation

MOST_NAMES = 60


def token_probabilities(
    generation: Generation,
    *,
    others: Sequence[Sequence[tuple[str, float]]] = (),
    ties: Sequence[int] = (),
    theme: Theme = "light",
) -> go.Figure:
    """Bars for the response's tokens; `customdata` is (its index in T,).

    `others`: for each token the likeliest (text, probability) in its place; `ties` are the places where two
    were next to equally likely, drawn in the second colour with a mark above.
    """
    first = generation.tokens.prompt_len
    shown = [visible(piece) for piece in generation.tokens.strings[first:]]
    chances = [math.exp(min(float(v), 0.0)) for v in generation.logprob_nats]
    colours = [palette.UNDERLINE[theme][place in ties] for place in range(len(chances))]
    hover = []
    for place, (text, chance) in enumerate(zip(shown, chances)):
        lines = [f"<b>{escaped(text)}</b> {chance:.3f} likely"]
        if place < len(others):
            lines += [f"{p:.3f} {escaped(visible(t))}" for t, p in others[place]]
        hover.append("<br>".join(lines))
    figure = go.Figure(
        go.Bar(
            x=list(range(len(chances))),
            y=chances,
            marker={"color": colours},
            text=["tie" if place in ties else "" for place in range(len(chances))],
            textposition="outside",
            cliponaxis=False,
            customdata=[(first + i,) for i in range(len(chances))],
            hovertext=hover,
            hoverinfo="text",
        ),
        frame(theme, height=280),
    )
    few = len(shown) <= MOST_NAMES
    figure.update_xaxes(
        tickmode="array",
        tickvals=list(range(len(shown))) if few else [],
        ticktext=[label(text, 12) for text in shown] if few else [],
        tickangle=-90,
        showgrid=False,
        zeroline=False,
        range=[-0.5, max(len(chances), 1) - 0.5],
    )
    figure.update_yaxes(title={"text": "probability"}, range=[0, 1.08], tickvals=[0, 0.25, 0.5, 0.75, 1])
    return figure


def visible(piece: str) -> str:
    """A token with its white space drawn; a special one without text says so."""
    return piece.replace("\n", "⏎").replace(" ", "·").replace("\t", "⇥") or "(end)"
