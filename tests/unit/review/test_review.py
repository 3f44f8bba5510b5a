"""Agreement against published worked examples, choices and queues by hand."""

from __future__ import annotations

import math

import pytest

from core.errors import AppError
from core.review import (
    Opinion,
    agreements,
    cohens_kappa,
    krippendorffs_alpha,
    newest,
    open_tasks,
    preferences,
    swapped,
)


def test_cohens_kappa_as_in_the_textbook() -> None:
    """50 grants, 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: seen 0.7, chance 0.5, kappa 0.4."""
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert cohens_kappa(first, second) == pytest.approx(0.4)
    assert math.isnan(cohens_kappa(["a"], ["a"])) and math.isnan(cohens_kappa([], []))
    assert cohens_kappa(["a", "b"], ["b", "a"]) == pytest.approx(-1)


def test_krippendorffs_alpha_as_he_computes_it() -> None:
    """Krippendorff 2011, section C: four observers, twelve units, missing data; nominal alpha 0.743."""
    rows = [
        "1 2 3 3 2 1 4 1 2 . . .",
        "1 2 3 3 2 2 4 1 2 5 . 3",
        ". 3 3 3 2 3 4 2 2 5 1 .",
        "1 2 3 3 2 4 4 1 2 5 1 .",
    ]
    units = [[value for value in unit if value != "."] for unit in zip(*(row.split() for row in rows))]
    assert krippendorffs_alpha(units) == pytest.approx(0.743, abs=5e-4)
    assert math.isnan(krippendorffs_alpha([["a"], ["b"]])) and math.isnan(krippendorffs_alpha([["a", "a"]]))


def say(row: str, who: str, value: str, at: float = 0.0, **more: int) -> Opinion:
    kind = "choice" if value in ("first", "second", "tie") else "verdict"
    return Opinion(kind, row, who, value, table_id="t", at=at, **{"column": 0} | more)  # type: ignore[arg-type]


def test_reviewers_against_each_other_and_the_checks() -> None:
    said = [
        *(say(row, "Ann", "right") for row in "abc"),
        say("a", "Bob", "right"),
        say("b", "Bob", "wrong"),
        say("b", "Bob", "right", at=1.0),  # he thought again
        say("c", "Bob", "wrong"),
    ]
    alpha, items, pairs = agreements(said, {("a", 0, 0): "right", ("c", 0, 0): "wrong"})
    found = {(one.first, one.second): (one.same, one.items) for one in pairs}
    assert found == {("Ann", "Bob"): (2, 3), ("Ann", "the checks"): (1, 2), ("Bob", "the checks"): (2, 2)}
    assert items == 3 and alpha == pytest.approx(0.0)  # 5 right, 1 wrong: apart 2, expected 10 / 5 = 2
    assert len(newest(said)) == 6


def test_choices_are_counted_by_row_for_p() -> None:
    said = [say("a", who, "first", other=1) for who in ("Ann", "Bob", "Cem")]
    said += [say("b", "Ann", "tie", other=1), say("c", "Ann", "second", other=1)]
    (made,) = preferences(said)
    assert (made.for_first, made.for_second, made.ties) == (3, 1, 1)
    assert (made.rows_first, made.rows_second, made.p) == (1, 1, pytest.approx(1.0))


def test_a_queue_is_shared_out_and_sides_are_even() -> None:
    tasks = [(str(row), 0, 1) for row in range(400)]
    order = open_tasks(tasks, {tasks[0]}, {tasks[1]: 1}, "Ann", "t")
    assert len(order) == 399 and order[-1] == tasks[1] and order != sorted(order)
    assert order == open_tasks(tasks, {tasks[0]}, {tasks[1]: 1}, "Ann", "t")
    assert open_tasks(tasks, set(), {}, "Bob", "t") != open_tasks(tasks, set(), {}, "Ann", "t")
    assert 160 < sum(swapped(task, "Ann", "t") for task in tasks) < 240


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "verdict", "value": "first"},
        {"kind": "shout", "value": ""},
        {"kind": "comment", "text": " "},
        {"kind": "comment", "text": "x" * 5001},
        {"kind": "verdict", "value": "right", "reviewer": " "},
        {"kind": "comment", "text": "x", "place": "title"},
        {"kind": "comment", "text": "x", "start": 3, "stop": 1},
    ],
)
def test_what_is_no_opinion_says_why(given: dict[str, object]) -> None:
    with pytest.raises(AppError):
        Opinion(**({"example_id": "a", "reviewer": "Ann"} | given))  # type: ignore[arg-type]
