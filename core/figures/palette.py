"""The one palette: how a share of influence becomes a colour, for the token view and for every figure.

Unsigned maps use one hue (purple) by lightness; signed maps run purple (supports) to orange (opposes)
through the page's background at 0, never red-green. Each theme has its own ramp that starts at the page's
background, so that no influence is no colour, and ends where text still has 4.5:1. Knows neither segments
nor pages. Interpolation is linear in OKLab (B. Ottosson, "A perceptual color space for image processing",
2020), contrast is WCAG 2.2's relative luminance.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

Theme = Literal["light", "dark"]

THEMES: tuple[Theme, ...] = ("light", "dark")
STEPS = 32
"""Steps of the ramp on each side of "nothing"."""

BACKGROUND: dict[Theme, str] = {"light": "#ffffff", "dark": "#16141c"}
TEXT: dict[Theme, str] = {"light": "#1f1b2d", "dark": "#ece9f4"}
MUTED: dict[Theme, str] = {"light": "#666174", "dark": "#a49eb4"}
"""Template and special text, notes: still readable, plainly not scored."""
SUPPORTS: dict[Theme, str] = {"light": "#957ae1", "dark": "#6f51c6"}
OPPOSES: dict[Theme, str] = {"light": "#e39135", "dark": "#9c5214"}
UNDERLINE: dict[Theme, tuple[str, str]] = {"light": ("#5b3fa8", "#a35a0a"), "dark": ("#b9a3f5", "#f0a85a")}
"""Underlines and bars that need no text on them: (supports, opposes)."""


def _linear(hex_colour: str) -> tuple[float, ...]:
    values = (int(hex_colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return tuple(v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)


def _hex(linear: tuple[float, ...]) -> str:
    clipped = (min(1.0, max(0.0, v)) for v in linear)
    encoded = (12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055 for v in clipped)
    return "#" + "".join(f"{round(255 * v):02x}" for v in encoded)


def _oklab(hex_colour: str) -> tuple[float, float, float]:
    r, g, b = _linear(hex_colour)
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    middle = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _from_oklab(lightness: float, a: float, b: float) -> str:
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return _hex(
        (
            4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
        )
    )


def _blend(start: str, end: str, part: float) -> str:
    if part in (0, 1):
        return end if part else start
    pairs = zip(_oklab(start), _oklab(end))
    lightness, a, b = (x + (y - x) * part for x, y in pairs)
    return _from_oklab(lightness, a, b)


@cache
def ramp(theme: Theme, signed: bool) -> tuple[str, ...]:
    """The colours of a map as `#rrggbb`, weakest to strongest.

    Unsigned: `STEPS + 1` colours from the background to purple. Signed: `2 * STEPS + 1` colours, orange
    (opposes) to purple (supports), the background in the middle.
    """
    parts = [i / STEPS for i in range(STEPS + 1)]
    supports = [_blend(BACKGROUND[theme], SUPPORTS[theme], p) for p in parts]
    if not signed:
        return tuple(supports)
    opposes = [_blend(BACKGROUND[theme], OPPOSES[theme], p) for p in parts]
    return (*reversed(opposes), *supports[1:])


def gamma(strength: float) -> float:
    """The exponent on a level for a colour strength of 0 to 1: 0.5 is linear, more shows fainter parts."""
    return 2.0 ** (1 - 2 * min(1.0, max(0.0, strength)))


def colour(share: float, top: float, theme: Theme, signed: bool = False, strength: float = 0.5) -> str:
    """The colour of `share` on a scale that ends at `top` (both parts of the prompt's total, 0 to 1).

    Shares beyond `top` get the strongest colour; an unsigned map shows a share's size only.
    """
    level = 0.0 if top <= 0 else min(1.0, abs(share) / top) ** gamma(strength)
    step = round(level * STEPS)
    if not signed:
        return ramp(theme, False)[step]
    return ramp(theme, True)[STEPS + (step if share >= 0 else -step)]


def colorscale(theme: Theme, signed: bool) -> list[list[float | str]]:
    """The ramp as Plotly's `colorscale`: `[[0, "#…"], …, [1, "#…"]]`; centre a signed one with `zmid=0`."""
    colours = ramp(theme, signed)
    return [[i / (len(colours) - 1), c] for i, c in enumerate(colours)]
