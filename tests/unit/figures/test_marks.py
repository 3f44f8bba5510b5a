"""Marks: readable in both themes, and no two alike in colour or in shape."""

from __future__ import annotations

from itertools import combinations

import pytest

from core.figures import palette
from core.figures.marks import CONTROL, MARKS, mark
from tests.unit.figures.contrast import contrast


@pytest.mark.parametrize("theme", palette.THEMES)
def test_every_mark_can_be_seen(theme: palette.Theme) -> None:
    for one in (*MARKS, CONTROL):
        assert contrast(one.colour(theme), palette.BACKGROUND[theme]) >= 4.5


def test_no_two_marks_share_a_colour_a_sign_a_symbol_or_a_hatch() -> None:
    for one, other in combinations((*MARKS, CONTROL), 2):
        assert one.sign != other.sign and one.symbol != other.symbol
        assert one.light != other.light and one.dark != other.dark
    assert len({one.hatch for one in MARKS}) == len(MARKS)


def test_after_the_last_they_come_round_again() -> None:
    assert mark(0) is MARKS[0] and mark(len(MARKS)) is MARKS[0]
