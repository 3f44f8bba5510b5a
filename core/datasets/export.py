"""A table's rows as a file: JSON Lines and Parquet exactly, CSV safe to open in a spreadsheet.

A CSV cell that a spreadsheet would run as a formula gets an apostrophe in front; numbers stay numbers.
Whoever needs the texts to the letter takes JSON Lines. Knows no page and no store.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO, StringIO
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.spreadsheet import neutral


@dataclass(frozen=True, slots=True)
class Export:
    """A kind of file to download."""

    name: str
    label: str
    mime: str
    write: Callable[[pd.DataFrame], bytes]


def to_jsonl(frame: pd.DataFrame) -> bytes:
    """One object a row; missing cells are left out."""
    lines = (
        json.dumps(
            {key: cell for key, cell in row.items() if not _missing(cell)}, ensure_ascii=False, default=_plain
        )
        for row in frame.to_dict("records")
    )
    return "".join(f"{line}\n" for line in lines).encode()


def to_csv(frame: pd.DataFrame) -> bytes:
    """With a header, a byte order mark (spreadsheets need it for UTF-8), formulas neutralised."""
    out = StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow([neutral(str(name)) for name in frame.columns])
    for row in frame.itertuples(index=False, name=None):
        writer.writerow(["" if _missing(cell) else _cell(cell) for cell in row])
    return out.getvalue().encode("utf-8-sig")


def to_parquet(frame: pd.DataFrame) -> bytes:
    """Columns as they are typed; one of mixed types becomes JSON text."""
    columns = {}
    for place, name in enumerate(frame.columns):
        cells = [None if _missing(cell) else cell for cell in frame.iloc[:, place].tolist()]
        try:
            columns[str(name)] = pa.array(cells)
        except (pa.ArrowException, OverflowError):
            texts = (
                cell if isinstance(cell, str) or cell is None else json.dumps(cell, default=_plain)
                for cell in cells
            )
            columns[str(name)] = pa.array(list(texts), pa.string())
    out = BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


EXPORTS: tuple[Export, ...] = (
    Export("jsonl", "JSON Lines", "application/x-ndjson", to_jsonl),
    Export("csv", "CSV", "text/csv", to_csv),
    Export("parquet", "Parquet", "application/vnd.apache.parquet", to_parquet),
)


def _cell(cell: Any) -> Any:
    if isinstance(cell, bool) or not isinstance(cell, (int, float)):
        return neutral(
            cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False, default=_plain)
        )
    return cell


def _missing(cell: Any) -> bool:
    return cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and cell != cell)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else str(value)
