"""`.xlsx`: the first sheet that holds a table, read row by row with openpyxl.

Texts that cells share are one object in memory, and what comes out is charged to the budget row by row. The archive
may not unpack to more than the bound. Formulas give the value that was last computed; nothing is computed here.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import islice
from typing import Any

from core.datasets import zip_directory
from core.datasets.bounds import Bounds
from core.datasets.rows import Reading, Row
from core.datasets.table_head import TableHead, find_head
from core.errors import AppError

_HEAD_ROWS = 30
_FAULT = "The file is not an Excel workbook (.xlsx), or it is not whole."


def read_xlsx(data: bytes, bounds: Bounds) -> Reading:
    """Raises `AppError` for what is no workbook, unpacks too large, or holds no table."""
    _check_archive(data, bounds)
    try:
        from openpyxl import load_workbook

        book = load_workbook(BytesIO(data), read_only=True, data_only=True, keep_links=False)
        sheets = list(book.worksheets)
    except Exception as error:  # openpyxl raises whatever its XML and zip parsers do
        raise AppError(_FAULT) from error
    for sheet in sheets:
        cells = _cells(sheet, bounds)
        first = list(islice(cells, _HEAD_ROWS))
        if len(first) > 1 or (first and len(sheets) == 1):
            wide = max(len(row) for _, row in first)
            head = find_head([[*row, *[None] * (wide - len(row))] for _, row in first], bounds)
            other = [one.title for one in sheets if one is not sheet]
            notes = (
                [f"Of the workbook the sheet “{sheet.title}” was read; not read: {', '.join(other[:8])}."]
                if other
                else []
            )
            rows = _rows(first[head.above + 1 :], cells, head)
            return Reading(rows, [*notes, *head.notes], typed=False, first=head.first_at(first[0][0]))
    raise AppError("The workbook holds no table; its first row should name the columns.")


def _check_archive(data: bytes, bounds: Bounds) -> None:
    try:
        with zip_directory.opened(BytesIO(data), "The workbook") as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise AppError(_FAULT, hint="An old .xls file: save it as .xlsx or CSV.") from error
    if unpacked > bounds.max_bytes:
        raise AppError(
            f"The workbook unpacks to {unpacked:,} bytes; at most {bounds.max_bytes:,} are read.",
            hint="Load a smaller part of it.",
            code="too_large",
        )


def _cells(sheet: Any, bounds: Bounds) -> Iterator[tuple[int, Sequence[Any]]]:
    """The rows that hold something, each cut behind its last value."""
    try:
        rows = sheet.iter_rows(values_only=True, max_col=bounds.max_columns + 1)
        for number, row in enumerate(rows, 1):
            width = max((place for place, cell in enumerate(row, 1) if cell is not None), default=0)
            if width:
                yield number, row[:width]
    except Exception as error:
        raise AppError("The workbook is spoiled within its sheet.") from error


def _rows(
    first: Sequence[tuple[int, Sequence[Any]]], cells: Iterator[tuple[int, Sequence[Any]]], head: TableHead
) -> Iterator[tuple[int, Row | str]]:
    width = len(head.names)
    for listed in (first, cells):
        for number, row in listed:
            yield number, head.row([*row, *[None] * (width - len(row))])
