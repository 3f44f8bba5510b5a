"""The answer's own text, coloured by how surprising the model found each piece: 1 − its probability, 0 to 1.

Pieces are tokens; those that share a character (half of an emoji) are one piece, as likely as all of them together.
Everything that comes from a model is escaped here.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from html import escape

from core.figures import palette
from core.figures.palette import Theme
from core.records import Generation

Others = Sequence[Sequence[tuple[str, float]]]


@dataclass(frozen=True, slots=True)
class Piece:
    """`text` of the answer's tokens `places` (counted from its first), `probability` of all of them together."""

    text: str
    probability: float
    places: tuple[int, ...]


def pieces(generation: Generation) -> list[Piece]:
    """The answer in pieces that can be shown; what shows no text (an end token) is left out."""
    tokens, start = generation.tokens, generation.tokens.prompt_len
    made: list[tuple[int, int, float, tuple[int, ...]]] = []
    for place, logprob in enumerate(generation.logprob_nats):
        a, b = (int(at) for at in tokens.char_spans[start + place])
        if a == b:
            continue
        if made and a < made[-1][1]:
            low, high, nats, places = made.pop()
            made.append((low, max(high, b), nats + float(logprob), (*places, place)))
        else:
            made.append((a, b, float(logprob), (place,)))
    found = [Piece(tokens.text[a:b], math.exp(min(nats, 0.0)), places) for a, b, nats, places in made]
    if found:  # the space before an answer is no indent
        found[0] = replace(found[0], text=found[0].text.lstrip())
    return found


def surprise_html(generation: Generation, others: Others, ties: Collection[int], theme: Theme) -> str:
    """A passage: colour by surprise, the piece's probability and the likeliest `others` at its place on hover;
    a piece of `ties` is underlined.
    """
    parts = []
    for piece in pieces(generation):
        said = [f"{piece.probability:.3f} likely"]
        if len(piece.places) == 1 and piece.places[0] < len(others):
            said += [f"{text.strip() or '(blank)'} {chance:.3f}" for text, chance in others[piece.places[0]]]
        tied = any(place in ties for place in piece.places)
        if tied:
            said.insert(1, "two words tied here")
        line = "text-decoration:underline dashed;text-underline-offset:.25em;" if tied else ""
        ground = palette.colour(1 - piece.probability, 1.0, theme)
        parts.append(
            f'<span title="{escape(chr(10).join(said), quote=True)}" data-probability="{piece.probability:.4f}" '
            f'style="{line}background:{ground};color:{palette.TEXT[theme]}">{escape(piece.text)}</span>'
        )
    style = "white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.9"
    return f'<div role="region" aria-label="The answer by surprise" dir="auto" style="{style}">{"".join(parts)}</div>'
