"""The palette against the rules it promises: contrast, order, centre, hues."""

from __future__ import annotations

import colorsys

import pytest

from core.figures import palette
from tests.unit.figures.contrast import LEAST, contrast


def _hue(colour: str) -> float:
    return colorsys.rgb_to_hsv(*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)))[0] * 360


@pytest.mark.parametrize("theme", palette.THEMES)
@pytest.mark.parametrize("signed", [False, True])
def test_text_is_readable_on_every_colour(theme: palette.Theme, signed: bool) -> None:
    worst = min(contrast(palette.TEXT[theme], c) for c in palette.ramp(theme, signed))
    assert worst >= LEAST
    assert contrast(palette.MUTED[theme], palette.BACKGROUND[theme]) >= LEAST


def test_contrast_of_black_and_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#777777") == 1


@pytest.mark.parametrize("theme", palette.THEMES)
def test_more_influence_moves_steadily_away_from_the_background(theme: palette.Theme) -> None:
    away = [contrast(palette.BACKGROUND[theme], c) for c in palette.ramp(theme, False)]
    assert away[0] == 1 and away == sorted(away) and away[-1] > 2.5


@pytest.mark.parametrize("theme", palette.THEMES)
def test_signed_ramps_are_orange_and_purple_with_nothing_in_the_middle(theme: palette.Theme) -> None:
    colours = palette.ramp(theme, True)
    assert len(colours) == 2 * palette.STEPS + 1
    assert colours[palette.STEPS] == palette.BACKGROUND[theme]
    assert 20 <= _hue(colours[0]) <= 40 and 245 <= _hue(colours[-1]) <= 275


def test_colour_keeps_size_sign_and_the_end_of_the_scale() -> None:
    light = palette.ramp("light", False)
    assert palette.colour(0, 0.3, "light") == light[0]
    assert palette.colour(0.15, 0.3, "light") == light[16]
    assert palette.colour(0.9, 0.3, "light") == light[-1]
    assert palette.colour(0.2, 0, "light") == light[0]
    signed = palette.ramp("light", True)
    assert palette.colour(-0.15, 0.3, "light", signed=True) == signed[16]
    assert palette.colour(0.3, 0.3, "light", signed=True) == signed[-1]


def test_strength_shows_fainter_parts_but_keeps_the_ends() -> None:
    steps = [
        palette.ramp("dark", False).index(palette.colour(0.1, 0.4, "dark", strength=s)) for s in (0, 0.5, 1)
    ]
    assert steps == [2, 8, 16]
    assert palette.colour(0.4, 0.4, "dark", strength=0) == palette.colour(0.4, 0.4, "dark", strength=1)


def test_plotly_colorscale_spans_0_to_1() -> None:
    scale = palette.colorscale("light", False)
    assert scale[0] == [0.0, "#ffffff"] and scale[-1][0] == 1.0
