"""One colour, one mark, one hatch for a thing, wherever it is drawn: a method, a model, a version.

`mark(position)` is the same on every page; who has which position is for the caller to keep. Colour is never the
only carrier: each mark has a sign of its own, a dash for lines and a hatch for bars. Knows no method and no model.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.figures import palette
from core.figures.palette import Theme


@dataclass(frozen=True, slots=True)
class Mark:
    """How one thing is drawn: in text (`sign`), by Plotly (`symbol`, `dash`, `hatch`), in both themes."""

    light: str
    dark: str
    sign: str
    symbol: str
    dash: str
    hatch: str = ""

    def colour(self, theme: Theme) -> str:
        return self.dark if theme == "dark" else self.light


MARKS: tuple[Mark, ...] = (
    Mark(palette.UNDERLINE["light"][0], palette.UNDERLINE["dark"][0], "●", "circle", "solid"),
    Mark(palette.UNDERLINE["light"][1], palette.UNDERLINE["dark"][1], "◆", "diamond", "dashdot", "/"),
    Mark("#0b6b66", "#62c9c0", "■", "square", "longdash", "x"),
    Mark("#a8326f", "#f191c4", "▲", "triangle-up", "longdashdot", "."),
    Mark("#1c66a8", "#82bbf2", "★", "star", "solid", "\\"),
    Mark("#626400", "#cbc95e", "⬢", "hexagon", "dashdot", "-"),
    Mark("#8a4a3a", "#e6a592", "✚", "cross", "longdash", "|"),
    Mark("#4d5b2a", "#a9c26f", "▼", "triangle-down", "longdashdot", "+"),
)
CONTROL = Mark(palette.MUTED["light"], palette.MUTED["dark"], "○", "circle-open", "dot")
"""What is compared with, and no method itself: an order by chance, random weights."""


def mark(position: int) -> Mark:
    """The mark of the thing at `position`; after the last they come round again."""
    return MARKS[position % len(MARKS)]
