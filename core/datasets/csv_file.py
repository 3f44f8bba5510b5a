"""`.csv` and `.tsv`: a header, then one example a row; quotes as in RFC 4180, the separator from the header.

A row with more or fewer cells than the header is a problem of its own line. After a quote that is never
closed, reading goes on at the next line, a bounded number of times.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from typing import Any

from core.datasets.encoding import decode
from core.datasets.reading import Reading
from core.errors import AppError

SEPARATORS = (",", "\t", ";", "|")
_FRESH_STARTS = 20
_CELL_CHARS = 100_000_000


def read_csv(data: bytes) -> Reading:
    """Raises `AppError` for a file without a header."""
    decoded = decode(data)
    lines = _split(decoded.text)
    start = next((i for i, line in enumerate(lines) if line.strip()), None)
    if start is None:
        raise AppError("The CSV file is empty; its first line should name the columns, one of them “prompt”.")
    separator = _separator(lines[start])
    csv.field_size_limit(_CELL_CHARS)
    reader = csv.reader(lines[start:], delimiter=separator, strict=True)
    try:
        header = [name.strip() for name in next(reader)]
    except csv.Error as error:
        raise AppError(f"The first line of the CSV file names no columns: {error}.") from error
    doubled = sorted({name for name in header if header.count(name) > 1})
    if doubled:
        raise AppError(
            f"The CSV file has more than one column called {', '.join(map(repr, doubled))}.",
            hint="Give each column its own name.",
        )
    rows = _rows(lines, start + reader.line_num, separator, header)
    return Reading(rows, [decoded.note] if decoded.note else [])


def _split(text: str) -> list[str]:
    """Lines with their ends, cut at line feeds (at carriage returns where there is no line feed)."""
    end = "\n" if "\n" in text else "\r"
    *lines, last = text.split(end)
    return [f"{line}{end}" for line in lines] + ([last] if last else [])


def _separator(header: str) -> str:
    return max(SEPARATORS, key=lambda mark: (header.count(mark), -SEPARATORS.index(mark)))


def _rows(
    lines: list[str], begin: int, separator: str, header: list[str]
) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    for attempt in range(_FRESH_STARTS + 1):
        reader = csv.reader(iter(lines[begin:]), delimiter=separator, strict=True)
        at = begin
        try:
            for cells in reader:
                if any(cells):
                    yield at + 1, _row(cells, header)
                at = begin + reader.line_num
            return
        except csv.Error as error:
            yield at + 1, f"The row cannot be read: {error}."
            begin = at + 1
            if attempt == _FRESH_STARTS:
                yield begin + 1, f"Reading stopped here after {_FRESH_STARTS + 1} rows that cannot be read."


def _row(cells: list[str], header: list[str]) -> Mapping[str, Any] | str:
    if len(cells) != len(header):
        return f"The row has {len(cells)} cells, but the header names {len(header)} columns."
    return dict(zip(header, cells))
