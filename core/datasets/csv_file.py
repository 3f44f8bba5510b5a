"""`.csv` and `.tsv`: a header, then one example a row; quotes as in RFC 4180, the separator from the header.

Read as spreadsheets write them: `sep=;` in front, title lines above the header, empty columns behind it, a column
without a name, blanks behind a closing quote. A row with more or fewer cells than the header is a problem of its own
line. After a quote that is never closed, reading goes on at the next line, a bounded number of times.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

from core.datasets.bounds import Bounds
from core.datasets.encoding import decode
from core.datasets.rows import Reading, Row
from core.datasets.table_head import TableHead, find_head
from core.errors import AppError

SEPARATORS = (",", "\t", ";", "|")
_FRESH_STARTS = 20
_CELL_CHARS = 100_000_000
_SEP = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_HEAD_LINES = 30
_HEAD_CHARS = 2_000_000


def read_csv(data: bytes, bounds: Bounds) -> Reading:
    """Raises `AppError` for a file without a header, or with too many columns."""
    decoded = decode(data)
    lines = _split(decoded.text)
    start = next((i for i, line in enumerate(lines) if line.strip()), None)
    if start is None:
        raise AppError("The CSV file is empty; its first line should name the columns, one of them “prompt”.")
    told = _SEP.fullmatch(lines[start].rstrip("\r\n"))
    if told:
        start = next((i for i, line in enumerate(lines) if i > start and line.strip()), start)
    csv.field_size_limit(_CELL_CHARS)
    separator = told[1] if told else _separator(lines[start])
    above = _sample(lines, start, separator)
    if not told and len(above) > 1 and len(above[0][1]) == 1:
        separator = _separator("".join(lines[start : start + _HEAD_LINES])[:_HEAD_CHARS])
        above = _sample(lines, start, separator)
    try:
        first = next(csv.reader(iter(lines[start:]), delimiter=separator, strict=True))
    except (csv.Error, StopIteration) as error:
        raise AppError(f"The first line of the CSV file names no columns: {error}.") from error
    head = find_head([cells for _, cells in above] or [first], bounds)
    begin = above[head.above + 1][0] if head.above + 1 < len(above) else None
    if begin is None:
        at = above[head.above][0] if above else start
        reader = csv.reader(iter(lines[at:]), delimiter=separator, strict=True)
        next(reader)
        begin = at + reader.line_num
    notes = [decoded.note] if decoded.note else []
    first_line = (above[0][0] if above else start) + 1
    return Reading(
        _rows(lines, begin, separator, head),
        [*notes, *head.notes],
        typed=False,
        first=head.first_at(first_line),
    )


def _split(text: str) -> list[str]:
    """Lines with their ends, cut at line feeds (at carriage returns where there is no line feed)."""
    end = "\n" if "\n" in text else "\r"
    *lines, last = text.split(end)
    return [f"{line}{end}" for line in lines] + ([last] if last else [])


def _separator(header: str) -> str:
    return max(SEPARATORS, key=lambda mark: (header.count(mark), -SEPARATORS.index(mark)))


def _sample(lines: list[str], start: int, separator: str) -> list[tuple[int, list[str]]]:
    """The first rows that hold something, each with the line it begins at."""
    found: list[tuple[int, list[str]]] = []
    reader = csv.reader(iter(lines[start:]), delimiter=separator, strict=True)
    at = start
    try:
        for cells in reader:
            if any(cells):
                found.append((at, cells))
            at = start + reader.line_num
            if len(found) >= _HEAD_LINES or at - start > 10 * _HEAD_LINES:
                break
    except csv.Error:
        pass
    return found


def _rows(lines: list[str], begin: int, separator: str, head: TableHead) -> Iterator[tuple[int, Row | str]]:
    stops = 0
    at = begin
    while True:
        reader = csv.reader(iter(lines[begin:] if begin else lines), delimiter=separator, strict=True)
        at = begin
        try:
            for cells in reader:
                if any(cells):
                    yield at + 1, head.row(cells)
                at = begin + reader.line_num
            return
        except csv.Error as error:
            mended = _mended(lines[at], separator)
            if mended is not None:
                yield at + 1, head.row(mended)
                begin = at + 1
                if begin >= len(lines):
                    return
                continue
            yield at + 1, f"The row cannot be read: {error}."
            begin = at + 1
            stops += 1
            if stops > _FRESH_STARTS:
                yield begin + 1, f"Reading stopped here after {stops} rows that cannot be read."
                return


def _mended(line: str, separator: str) -> list[str] | None:
    """The cells of one line in which blanks stand between a closing quote and the separator; else None."""
    cells: list[str] = []
    cell: list[str] = []
    state = "start"
    for char in line.rstrip("\r\n") + separator:
        if state == "quoted":
            if char == '"':
                state = "closing"
            else:
                cell.append(char)
        elif state == "closing" and char == '"':
            cell.append(char)
            state = "quoted"
        elif char == separator:
            cells.append("".join(cell))
            cell, state = [], "start"
        elif state in ("closing", "closed"):
            if char not in " \t":
                return None
            state = "closed"
        elif state == "start" and char == '"':
            state = "quoted"
        else:
            cell.append(char)
            state = "plain"
    return cells if state == "start" else None
