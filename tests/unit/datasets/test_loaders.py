"""Every format reads what it should, exactly, and lists what it cannot with line and reason."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets import FORMATS, SOURCES, Bounds, load_bytes, load_startup, parse_datasets, source
from core.datasets.bounds import MISSING_WORDS
from core.errors import AppError

BOUNDS = Bounds()
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
PROMPT = TEXT.filter(str.strip)
VALUE = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT | st.lists(TEXT, max_size=2)
ROW = st.fixed_dictionaries(
    {"prompt": PROMPT},
    optional={"target": st.none() | TEXT, "source": TEXT, "note": VALUE, "é": VALUE},
)

TWELVE: list[dict[str, Any]] = [
    {"prompt": "Analyze a menu.\n\n## Taste\nsalty \n## Dish\nsoup\n", "target": "", "source": "fewshot"},
    {"prompt": "Analyze a menu.\n\n## Taste\nsweet", "target": "", "source": "fewshot"},
    {
        "prompt": "Q: 3 + 4 = ?\nA: <<3+4=7>>7\n\nQ: 9 - 2 = ?\nA:",
        "target": " <<9-2=7>>7\n#### 7",
        "source": "sums",
    },
    {"prompt": "Q: half of 10?\nA:", "target": "<<10/2=5>>5", "source": "sums"},
    {"prompt": "Headline for: rain ends.  ", "target": "Rain ends", "source": "headline"},
    {"prompt": "\tTabbed and trailing\t", "target": "x ", "source": "headline"},
    {"prompt": '“Quotes” and "quotes"', "target": "\\n is not a newline", "source": "odd"},
    {"prompt": "emoji 🙂 and e\u0301", "target": "한국어", "source": "odd"},
    {"prompt": "line\u2028separator and \x85 next line", "target": "", "source": "odd"},
    {"prompt": "<script>alert(1)</script>", "target": "<b>", "source": "odd"},
    {"prompt": "Principles:\n- be kind\n- be brief\n", "target": "", "source": "ideas"},
    {"prompt": "Principles:\r\n- be kind\r\n", "target": "", "source": "ideas"},
]


def lines_of(rows: list[dict[str, Any]], *, ascii_only: bool = False) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=ascii_only) + "\n" for row in rows).encode()


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_twelve_records_of_the_usual_shape_load_exactly(ascii_only: bool, end: bytes) -> None:
    data = lines_of(TWELVE, ascii_only=ascii_only).replace(b"\n", end)
    loaded = load_bytes(data, "sample_prompts.jsonl", BOUNDS)
    assert loaded.problems == () and loaded.notes == ()
    got = [{"prompt": e.prompt, "target": e.target, "source": e.source} for e in loaded.examples]
    assert got == TWELVE
    assert len({e.id for e in loaded.examples}) == 12
    again = load_bytes(data, "sample_prompts.jsonl", BOUNDS)
    assert [e.id for e in again.examples] == [e.id for e in loaded.examples]


@given(st.lists(ROW, max_size=8))
def test_json_lines_come_back_exactly(rows: list[dict[str, Any]]) -> None:
    loaded = load_bytes(lines_of(rows), "x.jsonl", BOUNDS)
    assert loaded.problems == ()
    for row, example in zip(rows, loaded.examples, strict=True):
        rest = {key: value for key, value in row.items() if key not in ("prompt", "target", "source")}
        assert (example.prompt, example.target) == (row["prompt"], row.get("target"))
        assert (example.source, dict(example.fields)) == (row.get("source", ""), rest)
    assert loaded.counts.rows == loaded.counts.used == len(rows)


@given(st.binary(max_size=300), st.sampled_from([end for f in FORMATS for end in f.extensions]))
def test_any_bytes_give_examples_problems_or_one_sentence(data: bytes, ending: str) -> None:
    try:
        loaded = load_bytes(data, f"x{ending}", BOUNDS)
    except AppError as error:
        assert str(error).endswith(".")
    else:
        for example in loaded.examples:
            example.prompt.encode()  # whole characters only
            assert example.prompt.strip() and "\x00" not in example.prompt


@given(st.lists(ROW, min_size=1, max_size=5), st.text(max_size=40), st.data())
def test_a_bad_line_never_stops_the_good_ones(
    rows: list[dict[str, Any]], bad: str, data: st.DataObject
) -> None:
    broken = ("{" + bad.replace("\n", " ")).encode("utf-8", "ignore")
    lines = lines_of(rows).split(b"\n")[:-1]
    at = data.draw(st.integers(0, len(lines)))
    whole = b"\n".join([*lines[:at], broken, *lines[at:]])
    loaded = load_bytes(whole, "x.jsonl", BOUNDS)
    prompts = [example.prompt for example in loaded.examples]
    if len(prompts) == len(rows):
        assert [problem.line for problem in loaded.problems] == [at + 1]
    assert [row["prompt"] for row in rows] == [
        p for i, p in enumerate(prompts) if len(prompts) == len(rows) or i != at
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"prompt": "x"', "not JSON: expecting"),
        (b"[1, 2]", "should be a JSON object"),
        (b'{"target": "x", "name": 1}', "no “prompt”; the line has: target, name"),
        (b'{"prompt": 7}', "should be text, but it is a number"),
        (b'{"prompt": null}', "but it is missing"),
        (b'{"prompt": ["a"]}', "but it is a list"),
        (b'{"prompt": "  "}', "prompt is empty"),
        (b'{"prompt": "x", "target": {"a": 1}}', "target should be text, but it is an object"),
        (b'{"prompt": "half \\ud83d"}', "broken character"),
        (b'{"prompt": "nul \\u0000"}', "NUL"),
        (b'{"prompt": "x", "more": {"deep": "\\ud83d"}}', "broken character"),
        ('{"prompt": "é'.encode() + b'\xe9 bad byte"}', "broken character"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"prompt": "' + b"y" * 60 + b'"}', "has 60 characters; at most 50"),
    ],
)
def test_bad_lines_are_listed_with_their_number_and_reason(line: bytes, reason: str) -> None:
    good = '{"prompt": "é gut"}\n'.encode()
    loaded = load_bytes(good + line + b"\n\n" + good, "x.jsonl", Bounds(max_prompt_chars=50))
    assert [example.prompt for example in loaded.examples] == ["é gut", "é gut"]
    (problem,) = loaded.problems
    assert problem.line == 2 and reason in problem.reason


CELL = TEXT.filter(lambda text: "\r" not in text and text.strip() not in {"null", *MISSING_WORDS})


@given(
    st.lists(st.tuples(PROMPT.filter(lambda t: "\r" not in t), CELL, CELL), min_size=1, max_size=6),
    st.sampled_from(",;\t|"),
)
def test_csv_comes_back_exactly(rows: list[tuple[str, str, str]], separator: str) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, quoting=csv.QUOTE_ALL)
    writer.writerow(("prompt", "target", "other"))
    writer.writerows(rows)
    loaded = load_bytes(out.getvalue().encode(), "x.csv", BOUNDS)
    assert loaded.problems == ()
    assert [(e.prompt, e.target, e.fields["other"]) for e in loaded.examples] == rows


def test_csv_rows_that_do_not_fit_are_listed() -> None:
    text = 'prompt,target\na,1\nb\n"multi\nline",2\nc,2,3\nd,"open\ne,3\n'
    loaded = load_bytes(text.encode(), "x.csv", BOUNDS)
    assert [(e.prompt, e.target) for e in loaded.examples] == [("a", "1"), ("multi\nline", "2"), ("e", "3")]
    assert [problem.line for problem in loaded.problems] == [3, 6, 7]
    assert "1 cells, but the header names 2" in loaded.problems[0].reason


def test_csv_keeps_line_ends_within_cells_and_reads_old_files() -> None:
    assert load_bytes(b'prompt\r\n"a\r\nb"\r\n', "x.csv", BOUNDS).examples[0].prompt == "a\r\nb"
    assert [e.prompt for e in load_bytes(b"prompt\ra\rb\r", "x.csv", BOUNDS).examples] == ["a", "b"]
    for data, message in ((b"", "is empty"), (b"prompt,prompt\na,b", "more than one column called 'prompt'")):
        with pytest.raises(AppError, match=message):
            load_bytes(data, "x.csv", BOUNDS)


def test_text_is_one_prompt_a_line() -> None:
    loaded = load_bytes("one \r\n\n  two\u2028still two\n".encode(), "x.txt", BOUNDS)
    assert [e.prompt for e in loaded.examples] == ["one ", "  two\u2028still two"]


def test_json_lists_and_lines_under_the_same_ending() -> None:
    assert len(load_bytes(json.dumps(TWELVE).encode(), "x.json", BOUNDS).examples) == 12
    assert len(load_bytes(lines_of(TWELVE), "x.json", BOUNDS).examples) == 12
    with pytest.raises(AppError, match=r"not JSON.*line 1, character 2"):
        load_bytes(b"{nope}", "x.json", BOUNDS)


def test_parquet_keeps_types_and_numbers_its_rows() -> None:
    table = pa.table(
        {
            "prompt": ["a", None, "c"],
            "target": [1, 2, None],
            "day": pa.array([0, 1, 2], pa.date32()),
            "blob": [b"xyz", b"", None],
        }
    )
    out = io.BytesIO()
    pq.write_table(table, out)
    loaded = load_bytes(out.getvalue(), "x.parquet", BOUNDS)
    assert [(e.prompt, e.target) for e in loaded.examples] == [("a", "1"), ("c", None)]
    assert dict(loaded.examples[0].fields) == {"day": "1970-01-01", "blob": "(3 bytes)"}
    assert [p.line for p in loaded.problems] == [2]
    for spoiled in (b"PAR1 nonsense", out.getvalue()[:-9]):
        with pytest.raises(AppError, match="not a Parquet file"):
            load_bytes(spoiled, "x.parquet", BOUNDS)


def test_other_column_names_are_taken_and_told() -> None:
    loaded = load_bytes(b"Question,Answer,id\nWhy?,So.,7\n", "x.csv", BOUNDS)
    (example,) = loaded.examples
    assert (example.prompt, example.target, dict(example.fields)) == (
        "Why?",
        "So.",
        {"id": "7", "called": "id 7"},
    )
    assert any("“Question” was read as the prompt" in note for note in loaded.notes)
    assert any("“Answer” was read as the target" in note for note in loaded.notes)


def test_rows_past_the_limit_are_counted() -> None:
    loaded = load_bytes(lines_of(TWELVE), "x.jsonl", Bounds(max_examples=5))
    assert len(loaded.examples) == 5
    assert loaded.notes == ("The first 5 of 12 rows were loaded (MAX_EXAMPLES is the limit).",)
    assert loaded.counts.sentence() == (
        "12 rows in the file, 5 used, 7 left out (7: past the first 5 (MAX_EXAMPLES))."
    )
    with pytest.raises(AppError, match=r"has 1,\d+ bytes; at most 1,000"):
        load_bytes(lines_of(TWELVE), "x.jsonl", Bounds(max_bytes=1000))


@pytest.mark.parametrize(
    ("codec", "text", "told"),
    [
        ("utf-8-sig", "é", ""),
        ("utf-16", "é 한국어", ""),
        ("utf-32", "é", ""),
        (
            "cp1252",
            "Ein schöner Tag für Äpfel, Öl und Süßes: très bien, señor, garçon, déjà vu. " * 4,
            "1252",
        ),
        ("cp1251", "Съешь же ещё этих мягких французских булок, да выпей чаю, пожалуйста. " * 4, "1251"),
        (
            "shift_jis",
            "これは日本語の文章です。今日はとても良い天気ですね。明日も晴れるでしょう。" * 4,
            "Shift JIS",
        ),
    ],
)
def test_other_encodings_are_recognised_and_named(codec: str, text: str, told: str) -> None:
    loaded = load_bytes(f"{text}\n".encode(codec), "x.txt", BOUNDS)
    assert [e.prompt for e in loaded.examples] == [text]
    assert [told in note for note in loaded.notes] == ([True] if told else [])


@pytest.mark.parametrize(
    "data", [b"\xff\xfea", bytes(range(128, 256)) * 20, b"\x89PNG\r\n\x1a\n\x00\x00\xff\x81" * 9]
)
def test_bytes_that_are_no_text_are_refused_in_words(data: bytes) -> None:
    with pytest.raises(AppError, match=r"(is not UTF-8|says that it is UTF-16)"):
        load_bytes(data, "x.txt", BOUNDS)


def test_unknown_endings_are_refused_with_a_list() -> None:
    with pytest.raises(AppError, match=r"“\.pkl” are not read.*\.jsonl.*\.parquet"):
        load_bytes(b"", "x.pkl", BOUNDS)


def test_paths_are_for_ones_own_machine(tmp_path: Path) -> None:
    file = tmp_path / "menu.jsonl"
    file.write_bytes(lines_of(TWELVE))
    assert len(source("path").load(str(file), BOUNDS).examples) == 12
    with pytest.raises(AppError, match="cannot be read here"):
        source("path").load(str(file), Bounds(hosted=True))
    assert len(load_startup(str(file), Bounds(hosted=True)).examples) == 12
    for wrong in (tmp_path / "none.jsonl", tmp_path, "\x00"):
        with pytest.raises(AppError, match="cannot be read"):
            source("path").load(str(wrong), BOUNDS)
    with pytest.raises(AppError, match="no source of datasets called 'ftp'"):
        source("ftp")


def test_every_source_declares_itself() -> None:
    assert len({s.name for s in SOURCES}) == len(SOURCES)
    assert all(s.label and s.description and s.placeholder for s in SOURCES)
    assert {s.name for s in SOURCES if not s.hosted} == {"path"}


@pytest.mark.parametrize(
    ("listed", "pairs"),
    [
        ("", ()),
        ("menu:data/menu.jsonl", (("menu", "data/menu.jsonl"),)),
        ("a:x.csv, b:y.txt,", (("a", "x.csv"), ("b", "y.txt"))),
        ("data/menu.jsonl", (("menu", "data/menu.jsonl"),)),
        ("web:https://example.org/a.csv", (("web", "https://example.org/a.csv"),)),
        ("https://example.org/a.csv", (("a", "https://example.org/a.csv"),)),
    ],
)
def test_datasets_at_start_up(listed: str, pairs: tuple[tuple[str, str], ...]) -> None:
    assert parse_datasets(listed) == pairs


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(AppError, match="names “a” twice"):
        parse_datasets("a:x.csv,a:y.csv")
