"""Ranks, hits and intervals by hand; what a results file must survive."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import AppError
from core.faithfulness import CONTROLS, Finding, MeanWithInterval, change, estimate, measured
from core.faithfulness.controls import bm25
from core.faithfulness.measures import ranks_of
from core.faithfulness.results import (
    FULL,
    Area,
    BenchmarkResults,
    BenchmarkRow,
    Goal,
    PlantedTask,
    read,
    sentence,
    told_by_form,
    write,
)


def test_ranks_count_from_one_and_missing_causes_come_last() -> None:
    assert ranks_of([4, 2, 0, 3], {2, 3}) == (2, 4)
    assert ranks_of([1, 0], [7]) == (2,)


def test_one_finding_by_hand() -> None:
    two_causes = Finding((2, 3), 8)
    assert two_causes.reciprocal_rank == 0.5
    assert two_causes.precision == 0.5  # of the first two segments one is a cause
    assert (two_causes.hit(1), two_causes.hit(3)) == (0.0, 1.0)
    assert two_causes.chance == 0.25


def test_means_over_findings_by_hand() -> None:
    found = measured([Finding((1,), 4), Finding((4,), 4), Finding((2,), 4), Finding((1,), 4)])
    assert {name: one.value for name, one in found.items()} == {
        "top1": 0.5,
        "top3": 0.75,
        "mrr": (1 + 1 / 4 + 1 / 2 + 1) / 4,
        "precision": 0.5,
        "chance": 0.25,
    }
    assert all(one.count == 4 and one.low <= one.value <= one.high for one in found.values())


def test_prompts_without_a_cause_have_one_measure() -> None:
    found = measured([Finding((), 5, flat=True), Finding((), 5, flat=False)])
    assert list(found) == ["flat"] and found["flat"].value == 0.5


def test_intervals_are_the_same_every_time_and_hold_the_known_binomial_one() -> None:
    values = [1.0] * 30 + [0.0] * 70
    first = estimate(values)
    assert first == estimate(values)
    wide = 1.96 * math.sqrt(0.3 * 0.7 / 100)  # the normal interval of 30 of 100: 0.21 to 0.39
    assert first.low == pytest.approx(0.3 - wide, abs=0.02)
    assert first.high == pytest.approx(0.3 + wide, abs=0.02)
    assert estimate([1.0, 1.0]) == MeanWithInterval(1.0, 1.0, 1.0, 2)
    assert math.isnan(estimate([]).value) and estimate([]).count == 0


def test_a_change_is_paired() -> None:
    # Every prompt gained the same, so the interval has no width, however much prompts differ.
    assert change([0.0, 5.0, 9.0], [1.0, 6.0, 10.0]) == MeanWithInterval(1.0, 1.0, 1.0, 3)


def test_controls_by_hand() -> None:
    texts = ["The cat is red.", "A very long line about nothing at all.", "The dog is blue."]
    order = {control.name: control.order(texts, " The dog is blue", 3) for control in CONTROLS}
    assert order["nearest"] == [2, 1, 0]
    assert order["first"] == [0, 1, 2]
    assert order["longest"][0] == 1
    assert order["bm25"] == [2, 0, 1]
    assert sorted(order["random"]) == [0, 1, 2]
    assert CONTROLS[0].order(texts, "", 3) == CONTROLS[0].order(texts, "", 3)


def test_bm25_by_hand() -> None:
    # Both texts have the mean length, which drops out. "a" is in both: ln(1 + .5 / 2.5); "b" in one: ln 2.
    scores = bm25(["a b", "a c"], "a b")
    assert scores == pytest.approx([math.log(1.2) + math.log(2), math.log(1.2)])
    assert bm25(["", ""], "x") == [0.0, 0.0]


def results() -> BenchmarkResults:
    one = MeanWithInterval(0.9, 0.8, 0.95, 40)
    row = BenchmarkRow(
        "fact", "grad_l2", "Grad L2", FULL, False, {"top1": one, "top3": MeanWithInterval(1.0, 1.0, 1.0, 40)}
    )
    none = MeanWithInterval(math.nan, math.nan, math.nan, 0)
    return BenchmarkResults(
        "demo",
        "data/models/demo",
        "abc",
        "2026-01-01",
        "command",
        300,
        1.5,
        (PlantedTask("fact", "one fact", 1, 50, 40, 6, 4, 13.0),),
        (row,),
        (),
        (Area("fact", "grad_l2", "Grad L2", one, none),),
        (Goal("first", "fact", "at least 0.90", "0.90", True), Goal("other", "fact", "x", "y", None)),
    )


def test_results_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    assert read(path) is None
    write(results(), path)
    back = read(path)
    assert back is not None and back.rows == results().rows and back.tasks == results().tasks
    assert back.goals == results().goals and math.isnan(back.areas[0].insertion.value)
    assert back.find("fact", "grad_l2") == results().rows[0] and back.find("fact", "other") is None


@pytest.mark.parametrize("text", ["", "[]", '{"model": 1}', '{"tasks": [1], "goals": []}'])
def test_a_file_of_another_form_is_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(AppError, match=r"results\.json does not hold"):
        read(path)


def test_tasks_that_need_no_model_are_told() -> None:
    found = results()
    assert told_by_form(found) == []
    for share, told in ((0.8, 0), (0.9, 1)):
        blind = BenchmarkRow(
            "fact", "bm25", "shared words", FULL, True, {"top1": MeanWithInterval(share, 0, 1, 40)}
        )
        said = told_by_form(replace(found, rows=(*found.rows, blind)))
        assert len(said) == told
    assert "one fact, an order that sees no model, “shared words”, puts it first in 36 of 40" in said[0]


def test_the_words_count_prompts() -> None:
    rows = results().rows
    assert sentence("Grad L2", rows) == (
        "Grad L2 names the guilty line first in 36 of 40 prompts whose cause is known, "
        "and among its first three in 40."
    )
    assert sentence("Grad L2", []) == "Grad L2 was not measured."
