"""The file formats, each with its names and its reader. Adding one is a file and a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from core.datasets.bounds import Bounds, ReadBudget, too_large
from core.datasets.csv_file import SEPARATORS, read_csv
from core.datasets.examples import LoadedDataset, check, to_examples
from core.datasets.gzip_file import unzipped
from core.datasets.json_file import read_json, read_jsonl
from core.datasets.names import PROMPTS, plain_name
from core.datasets.parquet import read_parquet
from core.datasets.plan import ColumnPlan
from core.datasets.proposal import propose
from core.datasets.rows import FileRows, Reading, read
from core.datasets.txt import read_txt
from core.datasets.xlsx_file import read_xlsx
from core.datasets.yaml_file import read_yaml
from core.errors import AppError


@dataclass(frozen=True, slots=True)
class Format:
    """How a kind of file is called, recognised and read."""

    name: str
    label: str
    description: str
    extensions: tuple[str, ...]
    read: Callable[[bytes, Bounds], Reading]


FORMATS: tuple[Format, ...] = (
    Format(
        "jsonl",
        "JSON Lines",
        "one object a line: prompts and targets, chats (`messages`), questions and answers",
        (".jsonl", ".ndjson"),
        read_jsonl,
    ),
    Format(
        "json", "JSON", "a list of such objects, an object that holds one, or columns", (".json",), read_json
    ),
    Format("csv", "CSV", "a row with the columns’ names, then one example a row", (".csv", ".tsv"), read_csv),
    Format("xlsx", "Excel", "the first sheet with a table", (".xlsx",), read_xlsx),
    Format("parquet", "Parquet", "a table", (".parquet",), read_parquet),
    Format("yaml", "YAML", "promptfoo’s tests, or a list of objects", (".yaml", ".yml"), read_yaml),
    Format("chainforge", "ChainForge", "the table of a flow", (".cforge",), read_json),
    Format("txt", "Text", "one prompt a line", (".txt",), read_txt),
)
ZIPPED = ".gz"
_NAME_CHARS = 60
"""A longer cell in the first line of pasted text is no name of a column."""


def format_of(file_name: str) -> Format:
    """The format by the file's ending. Raises `AppError` naming those that are read."""
    ending = PurePosixPath(file_name.casefold()).suffix
    for known in FORMATS:
        if ending in known.extensions:
            return known
    names = ", ".join(end for known in FORMATS for end in known.extensions)
    raise AppError(
        f"Files that end in “{ending or file_name}” are not read.",
        hint=f"These are: {names}, each also with {ZIPPED}.",
    )


def open_bytes(data: bytes, file_name: str, bounds: Bounds, *, name: str = "", origin: str = "") -> FileRows:
    """The rows in a file's bytes, as they stand. Raises `AppError` when nothing of it can be read."""
    if len(data) > bounds.max_bytes:
        raise too_large(f"The file “{file_name}”", len(data), bounds)
    budget = ReadBudget(bounds)
    inner = file_name
    if file_name.casefold().endswith(ZIPPED):
        inner = file_name[: -len(ZIPPED)]
        format_of(inner)
        data = unzipped(data, file_name, bounds)
    known = format_of(inner)
    called = name or PurePosixPath(inner).stem or known.label
    return read(known.read(data, bounds), called, origin or file_name, bounds, budget)


def open_pasted(text: str, bounds: Bounds) -> FileRows:
    """The rows of text that was pasted: JSON, a table whose first line names its columns, or prompts by line."""
    data = text.encode("utf-8", "replace")
    ending = _looks_like(text)
    return open_bytes(data, f"pasted{ending}", bounds, name="Pasted rows", origin="pasted")


def _looks_like(text: str) -> str:
    if text.lstrip().startswith(("{", "[")):
        return ".json"
    lines = [line for line in text.splitlines() if line.strip()][:5]
    for mark in SEPARATORS:
        cells = lines[0].split(mark) if lines else []
        named = len(cells) > 1 and all(len(cell.strip()) <= _NAME_CHARS for cell in cells)
        if (
            named
            and len(lines) > 1
            and mark in lines[1]
            and not lines[0].rstrip().endswith((".", "?", "!", ":"))
        ):
            return ".csv"
    return ".csv" if lines and plain_name(lines[0]) in PROMPTS and len(lines) > 1 else ".txt"


def load_bytes(
    data: bytes,
    file_name: str,
    bounds: Bounds,
    *,
    name: str = "",
    origin: str = "",
    plan: ColumnPlan | None = None,
) -> LoadedDataset:
    """The examples in a file's bytes by `plan`, or by what its columns' names leave no doubt about.

    Raises: AppError when nothing of it can be read, or when it is not plain which column is the prompt.
    """
    return load_rows(open_bytes(data, file_name, bounds, name=name, origin=origin), bounds, plan)


def _nameless(rows: FileRows) -> bool:
    return rows.first is not None and not rows.first.named


def _as_planned(rows: FileRows, plan: ColumnPlan | None) -> FileRows:
    """`rows`, the first of them read the other way where only then the plan's columns are there."""
    if plan is None or rows.first is None or not rows.rows:
        return rows
    for some in (rows, rows.with_first_row(named=not rows.first.named)):
        try:
            check(plan, some)
        except AppError:
            continue
        return some
    return rows


def load_rows(rows: FileRows, bounds: Bounds, plan: ColumnPlan | None = None) -> LoadedDataset:
    """`rows` as examples. Raises: AppError as `load_bytes` does."""
    rows = _as_planned(rows, plan)
    proposal = propose(rows, plan)
    if not proposal.sure and rows.rows:
        listed = ", ".join(rows.top[:12])
        raise AppError(
            f"None of the columns is called like a prompt. The columns are: {listed}."
            + (" The first row was read as a row, not as their names." if _nameless(rows) else ""),
            hint="Say which it is (prompt=…), or give a template over the columns (template=Q: {question}).",
            code="ask",
        )
    if not rows.rows:
        return to_examples(rows, ColumnPlan(prompt="prompt"), bounds)
    return to_examples(rows, proposal.plan, bounds)
