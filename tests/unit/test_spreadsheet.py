"""What a spreadsheet would run is neutralised; everything else stays as it is."""

from __future__ import annotations

import pytest

from core.spreadsheet import neutral


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", " =1", "\u00a0-1", "＝1"])
def test_what_could_be_a_formula_is_neutralised(cell: str) -> None:
    assert neutral(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["", "a=1", "1-1", "Analysis: -", "שלום"])
def test_other_texts_stay_as_they_are(cell: str) -> None:
    assert neutral(cell) == cell
