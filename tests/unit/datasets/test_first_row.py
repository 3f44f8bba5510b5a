"""A table whose first row is a row: no example is lost to the columns' names, and nothing is guessed in silence."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from openpyxl import Workbook

from core.datasets import Bounds, ColumnPlan, load_bytes, open_bytes, open_pasted, propose
from core.datasets.startup import load_startup
from core.errors import AppError

BOUNDS = Bounds()
PAIRS = [["What is 2+2?", "4"], ["Capital of Peru?", "Lima"]]
BY_PLACE = [{"column 1": a, "column 2": b} for a, b in PAIRS]


def book(rows: list[list[Any]]) -> bytes:
    made, out = Workbook(), BytesIO()
    for row in rows:
        made.active.append(row)
    made.save(out)
    return out.getvalue()


CSV = b"What is 2+2?,4\nCapital of Peru?,Lima\n"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("pairs.json", json.dumps(PAIRS).encode()),
        ("held.json", json.dumps({"data": PAIRS}).encode()),
        ("pairs.jsonl", "\n".join(map(json.dumps, PAIRS)).encode()),
        ("pairs.yaml", b"- ['What is 2+2?', '4']\n- ['Capital of Peru?', 'Lima']\n"),
        ("pairs.csv", CSV),
        ("pairs.tsv", CSV.replace(b",", b"\t")),
        ("pairs.csv", CSV.replace(b",", b";")),
        ("pairs.xlsx", book(PAIRS)),
    ],
)
def test_no_row_is_lost_to_the_names(name: str, data: bytes) -> None:
    rows = open_bytes(data, name, BOUNDS)
    assert [row for _, row in rows.rows] == BY_PLACE and rows.counted == 2 and not rows.problems
    assert rows.first is not None and not rows.first.named and not rows.first.sure
    assert [line for line, _ in rows.rows] == [1, 2]
    assert not propose(rows).sure
    with pytest.raises(AppError, match="The first row was read as a row"):
        load_bytes(data, name, BOUNDS)
    plan = ColumnPlan(prompt="column 1", targets=("column 2",))
    loaded = load_bytes(data, name, BOUNDS, plan=plan)
    assert [(one.prompt, one.target) for one in loaded.examples] == [tuple(pair) for pair in PAIRS]
    assert (loaded.counts.rows, loaded.counts.used) == (2, 2)


@pytest.mark.parametrize("names", [["question", "answer"], ["Prompt", "x"], ["foo", "Expected Output"]])
def test_names_that_people_use_are_names(names: list[str]) -> None:
    rows = open_bytes(json.dumps([names, *PAIRS]).encode(), "x.json", BOUNDS)
    assert rows.first is not None and rows.first.named and rows.first.sure
    assert [row for _, row in rows.rows] == [dict(zip(names, pair)) for pair in PAIRS]


@pytest.mark.parametrize(
    ("first", "named"),
    [
        (["body", "language"], True),
        (["Hello", "Bonjour"], True),  # nothing tells: the person is asked
        (["Hello there, how are you today my friend", "x"], False),
        (["3", "x"], False),
        (["Capital of Peru?", "Lima"], False),
        (["Lima", "Lima"], False),  # one name for two columns
        (["Spain", "Lima"], False),  # what stands below is of the same kind
    ],
)
def test_what_a_first_row_reads_like(first: list[str], named: bool) -> None:
    rows = open_bytes(
        "\n".join(",".join(f'"{c}"' for c in row) for row in [first, *PAIRS]).encode(), "x.csv", BOUNDS
    )
    assert rows.first is not None and not rows.first.sure
    assert rows.first.named == named and len(rows.rows) == (2 if named else 3)


def test_turned_round_and_back_is_the_same_file() -> None:
    for data, name in ((CSV, "x.csv"), (json.dumps([["body", "language"], *PAIRS]).encode(), "x.json")):
        rows = open_bytes(data, name, BOUNDS)
        assert rows.first is not None
        other = rows.with_first_row(named=not rows.first.named)
        assert abs(len(other.rows) - len(rows.rows)) == 1 and other.counted == len(other.rows)
        assert other.with_first_row(named=rows.first.named) == rows
        assert rows.with_first_row(named=rows.first.named) is rows
    assert [row for _, row in open_bytes(CSV, "x.csv", BOUNDS).with_first_row(named=True).rows] == [
        {"What is 2+2?": "Capital of Peru?", "4": "Lima"}
    ]


def test_a_plan_that_names_columns_says_which_it_is(tmp_path: Any) -> None:
    file = tmp_path / "pairs.csv"
    file.write_bytes(CSV)
    loaded = load_startup(f"{file}?prompt=column 1&target=column 2", BOUNDS)
    assert [one.target for one in loaded.examples] == ["4", "Lima"]
    other = load_bytes(CSV, "x.csv", BOUNDS, plan=ColumnPlan(prompt="What is 2+2?"))
    assert [one.prompt for one in other.examples] == ["Capital of Peru?"]


def test_rows_of_other_widths_are_listed_or_kept_by_place() -> None:
    rows = open_bytes(b'[["prompt", "target"], ["a", "1"], ["b"]]', "x.json", BOUNDS)
    assert len(rows.rows) == 1 and "1 cells, but the first row names 2" in rows.problems[0].reason
    rows = open_bytes(b'[["A question?", "1"], ["b"], ["c", "2", "3"]]', "x.json", BOUNDS)
    assert [len(row) for _, row in rows.rows] == [2, 1, 3] and not rows.problems


def test_pasted_pairs_are_pairs() -> None:
    rows = open_pasted("Bonjour tout le monde ici et la\tHello all\nAu revoir\tBye\n", BOUNDS)
    assert [row["column 2"] for _, row in rows.rows] == ["Hello all", "Bye"]
