"""What all figures share: safe labels, the frame in both themes, the layer of markers that takes clicks.

Plotly reads a little HTML in texts and decodes entities, so text from outside is escaped here and nowhere
else. Knows colours (`core.figures.palette`), no record.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from core.figures import palette
from core.figures.palette import Theme

CLEAR = "rgba(0,0,0,0)"
FONT = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', sans-serif"
WEBGL_ABOVE = 3_000
"""Markers beyond which SVG grows slow and WebGL takes over."""


def escaped(text: str) -> str:
    """`text` as Plotly shows it literally: markup, entities and the dollar signs of formulas neutralised."""
    return html.escape(text, quote=False).replace("$", "&#36;").replace("%{", "%&#123;")


def label(text: str, width: int = 40) -> str:
    """One line for an axis: white space collapsed, at most `width` characters, escaped."""
    line = " ".join(text.split()) or ("⏎" if "\n" in text else "␣" if text else "(no text)")
    return escaped(line if len(line) <= width else line[: width - 1].rstrip() + "…")


def passage(text: str, width: int = 60, lines: int = 6) -> str:
    """A few wrapped lines for a hover box, escaped, joined by `<br>`."""
    wrapped = textwrap.wrap(text, width, max_lines=lines, placeholder=" …") or [label(text)]
    return "<br>".join(escaped(line) for line in wrapped)


def percent(share: float) -> str:
    """`0.314` as `31 %`; below 1 % with one decimal."""
    size = abs(share) * 100
    shown = f"{size:.0f}" if size >= 0.95 or size == 0 else f"{size:.1f}"
    return f"{'−' if share < 0 and float(shown) else ''}{shown} %"


def frame(theme: Theme, *, height: int, title: str = "", **layout: Any) -> go.Layout:
    """The layout of every figure: transparent, readable in `theme`, the nearest point answers the pointer."""
    text, muted = palette.TEXT[theme], palette.MUTED[theme]
    axis = {
        "gridcolor": faint(theme),
        "zerolinecolor": muted,
        "linecolor": muted,
        "automargin": True,
        "fixedrange": True,
        "ticks": "",
        "title": {"font": {"color": text, "size": 13}},
    }
    base = go.Layout(
        template="none",
        height=height,
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        font={"color": text, "family": FONT, "size": 13},
        title={"text": title, "font": {"size": 15}, "x": 0, "y": 0.98, "yanchor": "top"} if title else None,
        margin={"l": 8, "r": 8, "t": 64 if title else 12, "b": 8},
        hovermode="closest",
        hoverlabel={
            "bgcolor": palette.BACKGROUND[theme],
            "bordercolor": muted,
            "font": {"color": text, "family": FONT, "size": 13},
            "align": "left",
            "namelength": -1,
        },
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        dragmode=False,
        xaxis=axis,
        yaxis=axis,
    )
    return base.update(layout)


def faint(theme: Theme) -> str:
    """Grid lines: one step above the background."""
    return "#e6e3ee" if theme == "light" else "#322e3d"


def scale(theme: Theme, signed: bool, strength: float) -> list[list[float | str]]:
    """The palette's ramp as a Plotly colour scale, bent like the token view's by the colour strength.

    The scale is bent and not the values, so that the colour bar still reads in true shares.
    """
    power = 1 / palette.gamma(strength)
    out: list[list[float | str]] = []
    for at, colour in palette.colorscale(theme, signed):
        part = float(at)
        side = 2 * part - 1 if signed else part
        bent = abs(side) ** power * (1 if side >= 0 else -1)
        out.append([(bent + 1) / 2 if signed else bent, colour])
    out[0][0], out[-1][0] = 0.0, 1.0
    return out


def targets(
    x: Sequence[float], y: Sequence[float], customdata: Sequence[Any], hover: Sequence[str]
) -> go.Scatter | go.Scattergl:
    """Transparent square markers that take the pointer where a heat map reports none."""
    kind = go.Scattergl if len(x) > WEBGL_ABOVE else go.Scatter
    unseen = {"marker": {"opacity": 0}}
    return kind(
        x=list(x),
        y=list(y),
        mode="markers",
        marker={"symbol": "square", "size": 14, "color": CLEAR, "line": {"width": 0}},
        customdata=list(customdata),
        hovertext=list(hover),
        hoverinfo="text",
        selected=unseen,
        unselected=unseen,
        showlegend=False,
        name="",
    )
