"""Cost is bounded while reading: small files that hold a great deal are cut or refused, within little memory."""

from __future__ import annotations

import gzip
import io
import json
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets import FORMATS, Bounds, load_bytes, open_bytes
from core.datasets.bounds import ReadBudget
from core.datasets.rows import Reading, read
from core.errors import AppError
from tests.unit.datasets.workbooks import shared_book

SMALL = Bounds(max_bytes=300_000, max_cells=2_000, max_columns=50, max_depth=10)
ITEMS = b'{"prompt": "p", "x": [1,2,3,4,5,6,7]}\n' * 500


def parquet(columns: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def book(rows: int, text: str, *, apart: bool = False) -> bytes:
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.append(["prompt", "target"])
    for row in range(rows):
        sheet.append([f"{row}{text}" if apart else text, "x"])
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


SHARED_TEXT = parquet({"prompt": ["y" * 10_000] * 100})
NESTED = parquet({"prompt": ["p"] * 3, "more": [["y" * 20_000] * 900] * 3})


@pytest.mark.parametrize(
    ("name", "data", "kept", "told"),
    [
        ("x.parquet", SHARED_TEXT, 30, "comes to more than 300,000 bytes; the first 30 rows were kept"),
        ("x.xlsx", shared_book(100, 10_000), 30, "comes to more than 300,000 bytes; the first 30 rows were kept"),
        ("x.csv", b"prompt,a,b\n" + b"p,1,2\n" * 5_000, 2_000, ""),
        ("x.jsonl", ITEMS, 222, "holds more than 2,000 values; the first 222"),
        ("x.jsonl.gz", gzip.compress(b'{"prompt": "p", "x": "' + b"y" * 9_000 + b'"}\n' * 1), 1, ""),
    ],
)  # fmt: skip
def test_what_comes_out_is_counted_and_what_was_kept_is_told(
    name: str, data: bytes, kept: int, told: str
) -> None:
    bounds = SMALL if told else Bounds(max_examples=2_000)
    loaded = load_bytes(data, name, bounds)
    assert loaded.counts.used == len(loaded.examples) == kept
    if told:
        assert any(told in note for note in loaded.notes)
        assert not loaded.counts.whole and "the file goes on" in loaded.counts.sentence()
        assert loaded.counts.rows == kept


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        (
            "x.csv",
            (",".join(f"c{i}" for i in range(40_000)) + "\n1\n").encode(),
            "names 40,000 columns; at most 50",
        ),
        ("x.parquet", parquet({f"c{i}": [1] for i in range(60)}), "has 60 columns; at most 50"),
        ("x.json", b"[" + b"[]," * 3_000 + b"[]]", "holds about 6,002 values; at most 4,000"),
        ("x.txt.gz", gzip.compress(b"0" * 400_000), "more than 300,000 bytes"),
        ("x.xlsx", book(20, "y" * 30_000, apart=True), "unpacks to"),
    ],
)
def test_what_is_too_much_before_a_row_is_made_is_refused(name: str, data: bytes, message: str) -> None:
    with pytest.raises(AppError, match=message):
        load_bytes(data, name, SMALL)


def test_aliases_of_yaml_that_multiply_are_counted() -> None:
    lists = ["- {prompt: p}", "- a: &a [x,x,x,x,x,x,x,x,x]"]
    lists += [f"  {this}: &{this} [{','.join([f'*{last}'] * 9)}]" for last, this in zip("abcdef", "bcdefg")]
    rows = open_bytes("\n".join(lists).encode(), "x.yaml", SMALL)
    assert len(rows.rows) == 1 and not rows.whole


def test_rows_that_are_too_deep_or_wide_are_left_out_alone() -> None:
    deep = '{"prompt": "a", "x": ' + "[" * 600 + "]" * 600 + "}"
    wide = json.dumps({"prompt": "a"} | {f"c{i}": 1 for i in range(60)})
    loaded = load_bytes(f'{{"prompt": "b"}}\n{deep}\n{wide}\n{{"prompt": "c"}}\n'.encode(), "x.jsonl", SMALL)
    assert [example.prompt for example in loaded.examples] == ["b", "c"]
    assert [problem.reason for problem in loaded.problems] == [
        "The row is nested deeper than 10 lists and objects.",
        "The row has 61 columns; at most 50 are read.",
    ]
    assert "unpacks to more text" in load_bytes(NESTED, "x.parquet", SMALL).problems[0].reason
    deep_list = load_bytes(("[" * 600 + "]" * 600).encode(), "x.json", SMALL)
    assert deep_list.counts.used == 0 and "but it is a list" in deep_list.problems[0].reason


def test_reading_ends_by_the_clock() -> None:
    now = iter(range(1_000))
    rows = ((number, {"prompt": "p"}) for number in range(1, 1_000))
    budget = ReadBudget(Bounds(read_seconds=10), clock=lambda: float(next(now)))
    found = read(Reading(rows), "x", "x", Bounds(read_seconds=10), budget)
    assert len(found.rows) == 10 and "longer than 10 seconds; the first 10 rows were kept" in found.notes[0]


ENDINGS = [end for known in FORMATS for end in known.extensions] + [".csv.gz", ".jsonl.gz"]
NASTY = st.sampled_from(
    [*'"\',;\n\t{}[]:é\x00\ud83d', "\r\n", "&a ", "*a", "- ", "prompt"]
)  # fmt: skip


@given(st.lists(NASTY | st.text(max_size=5), max_size=60).map("".join), st.sampled_from(ENDINGS))
def test_hostile_text_gives_rows_or_one_sentence(text: str, ending: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    data = gzip.compress(data) if ending.endswith(".gz") else data
    try:
        loaded = load_bytes(data, f"x{ending}", SMALL)
    except AppError as error:
        assert str(error).endswith((".", ")"))
    else:
        left = sum(count for _, count in loaded.counts.left_out)
        assert loaded.counts.rows == loaded.counts.used + left and loaded.counts.used == len(loaded.examples)


@given(st.binary(max_size=200), st.integers(0, 3_000), st.sampled_from(["parquet", "xlsx"]))
def test_spoiled_archives_give_rows_or_one_sentence(junk: bytes, at: int, kind: str) -> None:
    data = SHARED_TEXT if kind == "parquet" else BOOK
    spoiled = data[: at % len(data)] + junk + data[at % len(data) + len(junk) :]
    try:
        load_bytes(spoiled, f"x.{kind}", SMALL)
    except AppError as error:
        assert str(error).endswith((".", ")"))


BOOK = book(3, "text")

BOMBS: dict[str, Callable[[], bytes]] = {
    "shared.parquet": lambda: parquet({"prompt": _shared(10_000)}),
    "nested.parquet": lambda: parquet({"prompt": ["p"] * 100, "x": _lists(100, 200)}),
    "packed.json.gz": lambda: gzip.compress(b"[" + b"[]," * 60_000_000 + b"[]]"),
    "lists.json": lambda: b"[" + b"[]," * 30_000_000 + b"[]]",
    "wide.csv": lambda: (",".join(f"c{i}" for i in range(1_000_000)) + "\n").encode(),
    "shared.xlsx": lambda: shared_book(5_000, 190_000),
    "zeros.xlsx": lambda: _zeros(),
}


def _shared(rows: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), ["y" * 190_000])


def _lists(rows: int, size: int) -> pa.ListArray:
    return pa.ListArray.from_arrays(list(range(0, rows * size + 1, size)), _shared(rows * size))


def _zeros() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", b"0" * 300_000_000)
    return out.getvalue()


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_never_takes_much_memory(name: str) -> None:
    """In a process of its own, which may not grow by more than four times what is read of a file."""
    code = (
        "import resource, sys\n"
        "from tests.unit.datasets.test_bounds import BOMBS, used\n"
        "from core.datasets import Bounds, load_bytes\n"
        "from core.errors import AppError\n"
        "data = BOMBS[sys.argv[1]]()\n"
        "before = used()\n"
        "try:\n"
        "    print(len(load_bytes(data, sys.argv[1], Bounds()).examples))\n"
        "except AppError as error:\n"
        "    print(error)\n"
        "print((used() - before) // 1_000_000, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, name], capture_output=True, text=True, check=True)
    assert int(done.stderr.split()[-1]) < 800, done.stdout


def used() -> int:
    """The most memory that this process has had, bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
