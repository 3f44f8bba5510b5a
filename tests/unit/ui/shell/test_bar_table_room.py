"""The room that is kept for a table of bars before the browser has drawn it."""

from __future__ import annotations

import re

from core.figures.room import ROOM_STEP
from core.ui.shell.bar_table import BarFigure, BarLine, BarPanel, place, room
from core.ui.web.first_paint import style


def panel(rows: int, bars: int = 1, **more: str) -> BarPanel:
    return BarPanel(tuple(BarLine(f"row {n}", (BarFigure("1"),) * bars) for n in range(rows)), **more)


def test_each_row_takes_room_and_words_above_bars_take_more() -> None:
    one, ten = (room([panel(n)], legend=False, wide=True) for n in (1, 10))
    assert 9.5 < ten / one < 10.5
    assert room([panel(10)], legend=False, wide=False) > ten
    assert room([panel(10, bars=3)], legend=False, wide=True) > 2 * ten


def test_panels_stand_beside_each_other_where_there_is_room() -> None:
    three = [panel(4, title="Task")] * 3
    assert room(three, legend=False, wide=True) == room(three[:1], legend=False, wide=True)
    assert room(three, legend=False, wide=False) > 2.9 * room(three[:1], legend=False, wide=True)
    assert room(three, legend=True, wide=True) > room(three, legend=False, wide=True)


def test_nothing_takes_no_room() -> None:
    assert room([], legend=False, wide=True) == 0


def test_the_rooms_steps_are_in_the_pages_style() -> None:
    key = place("Some table", [panel(6)], legend=False)
    wide, narrow = re.findall(r"(?:wide|narrow)(\d+)", key)
    assert f'[class*="-wide{wide}-"]{{min-height:{int(wide) * ROOM_STEP}px}}' in style()
    assert f'[class*="-narrow{narrow}-"]' in style()
    assert int(wide) * ROOM_STEP <= room([panel(6)], legend=False, wide=True)
