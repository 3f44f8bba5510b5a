"""What is written can be read back, and a spreadsheet runs none of it."""

from __future__ import annotations

import csv
import io
import json

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets import EXPORTS, Bounds, load_bytes
from core.datasets.export import to_csv, to_jsonl, to_parquet
from core.spreadsheet import neutral

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
ROWS = st.lists(st.tuples(TEXT.filter(str.strip), st.none() | TEXT), min_size=1, max_size=6)


def frame_of(rows: list[tuple[str, str | None]]) -> pd.DataFrame:
    prompts, targets = zip(*rows)
    return pd.DataFrame({"prompt": pd.array(prompts, "str"), "target": pd.array(targets, "str")})


@pytest.mark.parametrize("name", ["jsonl", "parquet"])
@given(rows=ROWS)
def test_exact_formats_come_back_exactly(name: str, rows: list[tuple[str, str | None]]) -> None:
    (export,) = [export for export in EXPORTS if export.name == name]
    loaded = load_bytes(export.write(frame_of(rows)), f"x.{name}", Bounds())
    assert loaded.problems == ()
    assert [(e.prompt, e.target) for e in loaded.examples] == rows


@given(ROWS)
def test_csv_comes_back_but_for_the_apostrophe(rows: list[tuple[str, str | None]]) -> None:
    text = to_csv(frame_of(rows)).decode("utf-8-sig")
    header, *cells = csv.reader(io.StringIO(text, newline=""))
    assert header == ["prompt", "target"]
    assert cells == [[neutral(prompt), neutral(target or "")] for prompt, target in rows]


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "＝1",
        '=HYPERLINK("http://x")',
        "-cmd|' /C x'!A0",
    ],
)
def test_formulas_are_neutralised_in_cells_and_header(cell: str) -> None:
    text = to_csv(pd.DataFrame({cell: [cell]})).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text, newline=""))) == [[f"'{cell}"], [f"'{cell}"]]


def test_numbers_stay_numbers() -> None:
    table = pd.DataFrame({"bleu": [-0.5, None], "n": [-3, 4], "seen": [True, False]})
    assert to_csv(table).decode("utf-8-sig").splitlines() == [
        '"bleu","n","seen"',
        '-0.5,-3,"true"',
        '"",4,"false"',
    ]
    assert [json.loads(line) for line in to_jsonl(table).splitlines()] == [
        {"bleu": -0.5, "n": -3, "seen": True},
        {"n": 4, "seen": False},
    ]


def test_a_column_of_mixed_types_becomes_json_text() -> None:
    table = pd.DataFrame({"mixed": [1, "a", {"b": [1]}, None]}, dtype=object)
    back = pq.read_table(io.BytesIO(to_parquet(table))).column("mixed").to_pylist()
    assert back == ["1", "a", '{"b": [1]}', None]


def test_an_empty_table_has_its_header() -> None:
    none = frame_of([("a", None)]).iloc[:0]
    assert to_csv(none).decode("utf-8-sig") == '"prompt","target"\r\n'
    assert to_jsonl(none) == b""
    assert pq.read_table(io.BytesIO(to_parquet(none))).column_names == ["prompt", "target"]
