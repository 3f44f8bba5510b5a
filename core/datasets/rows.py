"""A file's rows before anybody has said what they mean: numbered lines, columns by path, what could not be read.

A column is a path: `prompt`, or within objects and lists `answers.text`, `turns.0`, `instances.0.output`; a path
through a list of objects gives a list. `choices[answer]` is the entry of the list `choices` that `answer` numbers.
Knows no file format and no example.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import regex

from core.datasets.bounds import Bounds, BudgetSpent, ReadBudget, missing
from core.datasets.first_row import FirstRow
from core.datasets.turns import looks_like_turns
from core.records import digest

Row = Mapping[str, Any]
Kind = Literal["text", "texts", "number", "flag", "turns", "object", "objects", "list", "empty"]
SAMPLE_ROWS = 200
_MOST_INNER = 40
_INNER_DEPTH = 3
_INDEXED = regex.compile(r"(?P<list>.+)\[(?P<index>[^\[\]]+)\]")


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A line that could not be used, counted from 1, and why."""

    line: int
    reason: str


@dataclass(slots=True)
class Reading:
    """FileRows of a file as they come, `(line, row or reason)`, and what the reader noticed on the way."""

    rows: Iterable[tuple[int, Row | str]]
    notes: list[str] = field(default_factory=list)
    template: str = ""
    """A prompt template that the file itself holds, over its columns."""
    typed: bool = True
    """Whether the file tells text from nothing; a CSV file does not."""
    first: FirstRow | None = None
    """Of a table of cells: its first row, which names the columns or does not."""


@dataclass(frozen=True, slots=True)
class FileColumn:
    """What stands in one column of the rows: its path, the usual kind, how many of the rows have something."""

    path: str
    kind: Kind
    filled: int
    chars: int
    """Characters of its text in the sample."""


@dataclass(frozen=True)
class FileRows:
    """A file read as far as the bounds let it, `rows` as `(line, row)`."""

    name: str
    origin: str
    rows: tuple[tuple[int, Row], ...]
    problems: tuple[RowProblem, ...] = ()
    notes: tuple[str, ...] = ()
    counted: int = 0
    """FileRows that the file has, as far as it was read: usable, unreadable, and past MAX_EXAMPLES."""
    past_limit: int = 0
    whole: bool = True
    """Whether the file was read to its end."""
    template: str = ""
    typed: bool = True
    first: FirstRow | None = None

    def with_first_row(self, *, named: bool) -> FileRows:
        """The same file, its first row taken as the columns' names (`named`) or as a row; itself where it has none."""
        first = self.first
        if first is None or first.named == named:
            return self
        before, after = (first.places, first.names) if named else (first.names, first.places)
        called = dict(zip(before, after))
        rows = [
            (line, {called.get(str(key), str(key)): value for key, value in row.items()})
            for line, row in self.rows
            if line != first.line
        ]
        more = 1
        if named:
            more = -1
        else:
            rows.insert(0, (first.line, dict(first.row())))
        return replace(self, rows=tuple(rows), counted=self.counted + more, first=replace(first, named=named))

    @cached_property
    def columns(self) -> tuple[FileColumn, ...]:
        """Columns in the order in which they first come, inner ones after the column that holds them."""
        return tuple(_columns(self.sample))

    @cached_property
    def sample(self) -> tuple[Row, ...]:
        """The first rows, and some from all over the file."""
        step = max(1, len(self.rows) // SAMPLE_ROWS)
        places = dict.fromkeys((*range(min(SAMPLE_ROWS, len(self.rows))), *range(0, len(self.rows), step)))
        return tuple(self.rows[place][1] for place in places)

    @cached_property
    def top(self) -> tuple[str, ...]:
        """The names that stand in the file itself."""
        return tuple(dict.fromkeys(str(key) for row in self.sample for key in row))

    @property
    def shape(self) -> str:
        """The same for files with the same columns."""
        return digest(sorted(self.top))[:20]


def read(
    reading: Reading, name: str, origin: str, bounds: Bounds, budget: ReadBudget | None = None
) -> FileRows:
    """Take the rows of `reading` until it ends or the budget is spent; what was kept is told."""
    budget = budget or ReadBudget(bounds)
    rows: list[tuple[int, Row]] = []
    problems: list[RowProblem] = []
    counted = past = 0
    stopped = ""
    try:
        for line, row in reading.rows:
            budget.tick()
            counted += 1
            if isinstance(row, str):
                problems.append(RowProblem(line, row))
            elif len(rows) >= bounds.max_examples:
                past += 1
            elif fault := budget.charge(row):
                problems.append(RowProblem(line, fault))
            else:
                rows.append((line, row))
    except BudgetSpent as spent:
        stopped = str(spent)
        counted = len(rows) + len(problems) + past
    notes = list(reading.notes)
    if stopped:
        kept = f"the first {len(rows):,} rows were kept" if rows else "nothing of it was kept"
        notes.append(f"The file was not read to its end, because {stopped}; {kept}.")
    if past:
        total = f"{len(rows) + past:,}" if not stopped else f"more than {len(rows) + past:,}"
        notes.append(
            f"The first {bounds.max_examples:,} of {total} rows were loaded (MAX_EXAMPLES is the limit)."
        )
    return FileRows(
        name, origin, tuple(rows), tuple(problems), tuple(notes), counted, past, not stopped,
        reading.template, reading.typed, reading.first,
    )  # fmt: skip


def value_at(row: Row, path: str) -> Any:
    """What stands at `path` in `row`; None where nothing does."""
    if path in row:
        return row[path]
    if indexed := _INDEXED.fullmatch(path):
        return _entry(value_at(row, indexed["list"]), value_at(row, indexed["index"]))
    return _inner(row, path.split("."))


def _inner(value: Any, steps: Sequence[str]) -> Any:
    if not steps:
        return value
    if isinstance(value, Mapping):
        for size in range(1, len(steps) + 1):
            name = ".".join(steps[:size])
            if name in value:
                return _inner(value[name], steps[size:])
        return None
    if isinstance(value, (list, tuple)):
        if steps[0].isdecimal():
            place = int(steps[0]) if len(steps[0]) < 9 else len(value)
            return _inner(value[place], steps[1:]) if place < len(value) else None
        found = [_inner(inner, steps) for inner in value if isinstance(inner, Mapping)]
        flat: list[Any] = []
        for inner in found:
            flat.extend(inner if isinstance(inner, (list, tuple)) else [inner])
        return [inner for inner in flat if inner is not None]
    return None


def _entry(listed: Any, index: Any) -> Any:
    """The entry that `index` names: by number, by letter (A is the first), or one of the list itself."""
    if not isinstance(listed, (list, tuple)):
        return None
    if isinstance(index, str) and index in listed:
        return index
    if (
        isinstance(index, str)
        and len(index.strip()) == 1
        and index.strip().isascii()
        and index.strip().isalpha()
    ):
        index = ord(index.strip().upper()) - ord("A")
    if isinstance(index, str) and index.strip().isdecimal() and len(index.strip()) < 9:
        index = int(index)
    if isinstance(index, bool) or not isinstance(index, int):
        return None
    return listed[index] if 0 <= index < len(listed) else None


def kind_of(value: Any) -> Kind:
    """What sort of thing a cell holds."""
    if missing(value):
        return "empty"
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, str):
        return "turns" if looks_like_turns(value) else "text"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, Mapping):
        return "object"
    if isinstance(value, (list, tuple)):
        if looks_like_turns(value):
            return "turns"
        if not value:
            return "empty"
        if all(isinstance(one, Mapping) for one in value):
            return "objects"
        return "texts" if all(isinstance(one, str) for one in value) else "list"
    return "text"


def _columns(rows: Sequence[Row]) -> Iterator[FileColumn]:
    paths = dict.fromkeys(str(key) for row in rows for key in row)
    for path in paths:
        yield from _column(path, [row.get(path) for row in rows], _INNER_DEPTH)


def _column(path: str, cells: Sequence[Any], depth: int) -> Iterator[FileColumn]:
    kinds = Counter(kind_of(cell) for cell in cells)
    filled = len(cells) - kinds.pop("empty", 0)
    kind = kinds.most_common(1)[0][0] if kinds else "empty"
    chars = sum(len(cell) for cell in cells if isinstance(cell, str))
    yield FileColumn(path, kind, filled, chars)
    if not depth or kind not in ("object", "objects", "texts", "list"):
        return
    if kind == "object":
        inner = dict.fromkeys(str(key) for cell in cells if isinstance(cell, Mapping) for key in cell)
        for key in list(inner)[:_MOST_INNER]:
            held = [cell.get(key) if isinstance(cell, Mapping) else None for cell in cells]
            yield from _column(f"{path}.{key}", held, depth - 1)
        return
    first = [cell[0] if isinstance(cell, (list, tuple)) and cell else None for cell in cells]
    if kind == "objects":
        inner = dict.fromkeys(str(key) for cell in first if isinstance(cell, Mapping) for key in cell)
        for key in list(inner)[:_MOST_INNER]:
            held = [value_at({"x": cell}, f"x.{key}") for cell in cells]
            yield from _column(f"{path}.{key}", held, 0)
        for key in list(inner)[:_MOST_INNER]:
            held = [cell.get(key) if isinstance(cell, Mapping) else None for cell in first]
            yield from _column(f"{path}.0.{key}", held, 0)
        return
    yield from _column(f"{path}.0", first, 0)
