"""What travels to the browser is plain data, whole texts, and one mark a series."""

from __future__ import annotations

import json

from core.compare import Run
from core.figures.marks import CONTROL, mark
from core.ui.shell.bar_table import BarFigure, BarLine, BarPanel, BarSeries, described

EVIL = "<script>alert(1)</script> " + "a long label " * 30


def test_texts_are_whole_and_data_is_plain() -> None:
    line = BarLine(
        EVIL, (BarFigure("45 %", 0.45, 0.4, 0.5, note=EVIL),), EVIL, "row", (Run("removed", EVIL),)
    )
    sent = described([BarPanel((line,), EVIL)], [], signed=False, about="Shares")
    assert json.loads(json.dumps(sent)) == sent
    (panel,) = sent["panels"]
    assert panel["title"] == EVIL and panel["lines"][0]["label"] == EVIL
    assert panel["lines"][0]["changes"] == [["removed", EVIL]]
    assert panel["lines"][0]["bars"][0] == {
        "text": "45 %", "value": 0.45, "low": 0.4, "high": 0.5, "goal": None, "series": 0, "note": EVIL,
    }  # fmt: skip


def test_series_bring_their_marks_and_one_is_there_without_any() -> None:
    made = described([], [BarSeries("a", mark(1)), BarSeries("b", CONTROL)], signed=True, about="x")
    assert [one["sign"] for one in made["series"]] == [mark(1).sign, CONTROL.sign]
    assert [one["light"] for one in made["series"]] == [mark(1).light, CONTROL.light]
    assert len(described([], [], signed=False, about="x")["series"]) == 1


def test_zero_stands_where_the_lowest_value_needs_it() -> None:
    def zero(*values: float | None, low: float | None = None, signed: bool = False) -> float:
        bars = tuple(BarFigure("x", value, low=low) for value in values)
        return float(described([BarPanel((BarLine("a", bars),))], [], signed=signed, about="x")["zero"])

    assert zero(0.2, 1.0, None) == zero() == 0
    assert zero(1.0, -0.25) == 0.2  # a quarter on the left of a whole
    assert zero(1.0, 0.5, low=-1.0) == 0.5
    assert zero(1.0, -0.25, signed=True) == 0.5
