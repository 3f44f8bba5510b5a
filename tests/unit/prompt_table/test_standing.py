"""Figures of a table against figures made by hand (scipy's binomtest for p, Wilson's formula for intervals)."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from core.errors import AppError
from core.prompt_table import (
    CellAnswer,
    PromptTable,
    PromptVersion,
    TableAnswerer,
    TablePlan,
    TableRow,
    from_json,
    put_together,
    scores,
    seeds,
    standings,
    turned,
    turned_first,
)
from core.prompt_table.standing import cell_share, take_shares
from core.records import GenerationParams, ModelSpec

MODEL = TableAnswerer(ModelSpec("m", "m"))
TWO = (PromptVersion("v1", "Q: {q}"), PromptVersion("v2", "{q}?"))


def table(*rows: str, takes: int = 1) -> PromptTable:
    """One word a row: the outcomes of v1's takes, then of v2's; r, w, u, f, or a dot for open."""
    params = GenerationParams(temperature=1.0 if takes > 1 else 0.0)
    plan = TablePlan("d", TWO, (MODEL,), params, seeds(takes))
    names = {"r": "right", "w": "wrong", "u": "unsure", "f": "failed"}
    cells = [
        CellAnswer(str(at), place // takes, place % takes, f"{at} {place}", names[letter], "")
        for at, word in enumerate(rows)
        for place, letter in enumerate(word)
        if letter != "."
    ]
    return put_together(plan, [TableRow(str(at), f"row {at}", ("t",)) for at in range(len(rows))], cells)


def test_better_worse_same_and_p_by_hand() -> None:
    made = table(*["wr"] * 9, *["rw"] * 2, *["rr"] * 5, *["ww"] * 4, "ur", "rf", "r.")
    first, second = standings(made)
    assert (first.value.value, first.value.rows) == (9 / 22, 22) and first.against is None
    assert (second.value.value, second.value.rows) == (15 / 21, 21)
    assert (second.better, second.worse, second.same) == (9, 2, 9)
    assert second.against is not None and second.against.rows == 20
    assert second.against.difference == pytest.approx(7 / 20)
    assert second.against.p == pytest.approx(2 * (1 + 11 + 55) / 2**11)  # 9 of 11: both tails of a fair coin
    assert dict(second.value.left_out) == {"missing": 1, "error": 1}


def test_rows_that_turned_stand_first_the_worse_before_the_better() -> None:
    made = table("rr", "wr", "ww", "rw")
    assert turned(made, 1).tolist() == [False, True, False, True]
    assert turned_first(made).tolist()[:2] == [3, 1]


def test_pass_all_and_pass_any_of_three_samples() -> None:
    made = table("rrrrrw", "wwrrrr", "wwwwrw", "rr.rrr", takes=3)
    third = pytest.approx(1 / 3)
    assert (1 - scores(made)).tolist() == [
        [0, third],
        [pytest.approx(2 / 3), 0],
        [1, pytest.approx(2 / 3)],
        [0, 0],
    ]
    assert np.nan_to_num(scores(made, "all"), nan=-1).tolist() == [[1, 0], [0, 1], [0, 0], [-1, 1]]
    assert scores(made, "any").tolist() == [[1, 1], [1, 1], [0, 1], [1, 1]]
    right, decided, low, high = cell_share(made, 0, 1)
    assert (right, decided) == (2, 3)
    centre, half = (2 / 3 + 1.96**2 / 6) / (1 + 1.96**2 / 3), 0.0  # Wilson 1927
    half = 1.96 / (1 + 1.96**2 / 3) * math.sqrt(2 / 9 / 3 + 1.96**2 / 36)
    assert low == pytest.approx(centre - half, abs=1e-4) and high == pytest.approx(centre + half, abs=1e-4)
    assert take_shares(made, 0).tolist() == [1 / 2, 1 / 2, pytest.approx(2 / 3)]
    assert standings(made)[0].spread == pytest.approx(1 / 6)


def test_several_takes_of_a_row_are_not_several_rows() -> None:
    """All takes of a row alike: the test is exactly as sure as with one take a row, not three times as sure."""
    made = standings(table(*["wwwrrr"] * 4, *["rrrrrr"] * 4, takes=3))[1].against
    assert made is not None and made.rows == 8 and made.test == "signs of rows, exact"
    single = standings(table(*["wr"] * 4, *["rr"] * 4))[1].against
    assert single is not None and single.p == pytest.approx(2 / 2**4)
    assert made.p == pytest.approx(single.p)


def test_a_slice_is_counted_alone() -> None:
    made = table("wr", "rw", "rr")
    (_, second) = standings(made, mask=np.array([True, False, True]))
    assert (second.better, second.worse, second.same, second.value.value) == (1, 0, 1, 1.0)


def test_a_plan_is_the_same_after_a_way_through_json() -> None:
    plan = TablePlan(
        "d", TWO, (MODEL,), GenerationParams(temperature=1.0, stop=("\n",)), seeds(3), aliases={"q": "prompt"}
    )
    again = from_json(json.loads(json.dumps(plan.to_json())))
    assert again == plan and again.key == plan.key
    assert TablePlan("d", TWO, (MODEL,), baseline=1).key == TablePlan("d", TWO, (MODEL,)).key


def test_what_cannot_be_asked_says_why() -> None:
    with pytest.raises(AppError, match="temperature 0"):
        TablePlan("d", TWO, (MODEL,), takes=seeds(3))
    with pytest.raises(AppError, match="Two versions are called “v1”"):
        TablePlan("d", (TWO[0], TWO[0]), (MODEL,))
    with pytest.raises(AppError, match="no model is chosen"):
        TablePlan("d", TWO, ())
