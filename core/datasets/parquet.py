"""`.parquet`: columns as they are typed, rows numbered from 1; read in small batches.

Text columns are read as dictionaries, so that a text which a million rows share is one object here; what it comes to
is charged row by row. How many rows a batch has goes by what its column chunks say that they hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.datasets.bounds import Bounds
from core.datasets.rows import Reading, Row
from core.errors import AppError

_BATCH_ROWS = 2_000
_BATCH_BYTES = 16_000_000
_TOO_MUCH = "The row unpacks to more text than is read of a whole file."


def read_parquet(data: bytes, bounds: Bounds) -> Reading:
    """Raises `AppError` for a file that is not Parquet, is spoiled, or unpacks too large."""
    try:
        plain = pq.ParquetFile(BytesIO(data))
        facts = plain.metadata
        texts = [
            facts.schema.column(i).path for i in range(facts.num_columns) if _is_text(facts.schema.column(i))
        ]
        file = pq.ParquetFile(BytesIO(data), read_dictionary=texts)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise AppError("The file is not a Parquet file, or it is not whole.") from error
    if facts.num_columns > bounds.max_columns:
        raise AppError(
            f"The file has {facts.num_columns:,} columns; at most {bounds.max_columns:,} are read.",
            hint="Load a part of its columns.",
            code="too_large",
        )
    return Reading(_rows(file, bounds))


def _rows(file: pq.ParquetFile, bounds: Bounds) -> Iterator[tuple[int, Row | str]]:
    number = 0
    for group in range(file.metadata.num_row_groups):
        facts = file.metadata.row_group(group)
        chunks = [facts.column(i) for i in range(facts.num_columns)]
        unpacked = sum(max(0, chunk.total_uncompressed_size) for chunk in chunks)
        values = sum(max(0, chunk.num_values) for chunk in chunks)
        if unpacked > 2 * bounds.max_bytes or values > 20 * bounds.max_cells:
            told = f"From here on the file unpacks to {unpacked:,} bytes and {values:,} values at once"
            yield number + 1, f"{told}, which are not read."
            return
        rows = max(1, min(_BATCH_ROWS, _BATCH_BYTES // max(1, unpacked)))
        try:
            for batch in file.iter_batches(rows, row_groups=[group]):
                batch.validate(full=True)
                for piece in _pieces(batch, bounds):
                    for row in [_TOO_MUCH] if piece is None else _python(piece):
                        number += 1
                        yield number, row
        except (pa.ArrowException, OSError, ValueError, OverflowError):
            yield number + 1, "The file is spoiled from here on."
            return


def _is_text(column: Any) -> bool:
    return column.physical_type == "BYTE_ARRAY" and column.logical_type.type in (
        "STRING",
        "JSON",
        "ENUM",
        "NONE",
    )


def _pieces(batch: pa.RecordBatch, bounds: Bounds) -> Iterator[pa.RecordBatch | None]:
    """`batch` in parts that unpack to little enough; None for a row that alone comes to too much."""
    size = sum(_weight(column) for column in batch.columns if not isinstance(column, pa.DictionaryArray))
    if size <= _BATCH_BYTES or (batch.num_rows == 1 and size <= bounds.max_bytes):
        yield batch
    elif batch.num_rows == 1:
        yield None
    else:
        half = batch.num_rows // 2
        yield from _pieces(batch.slice(0, half), bounds)
        yield from _pieces(batch.slice(half), bounds)


def _weight(column: Any) -> int:
    """Bytes of text and values that `column` comes to as objects; shared texts counted each time."""
    kind = column.type
    if isinstance(column, pa.DictionaryArray):
        sizes = pc.binary_length(column.dictionary.cast(pa.large_binary()))
        return int(pc.sum(sizes.take(column.indices)).as_py() or 0) + 8 * len(column)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _weight(column.flatten())
    if pa.types.is_map(kind):
        return _weight(column.keys) + _weight(column.items)
    if pa.types.is_struct(kind):
        return sum(_weight(inner) for inner in column.flatten())
    return int(column.nbytes)


def _python(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    names = batch.schema.names
    columns = [_cells(column) for column in batch.columns]
    for cells in zip(*columns):
        yield dict(zip(names, cells))


def _cells(column: Any) -> list[Any]:
    """The cells of a column; those of a dictionary share its objects."""
    if isinstance(column, pa.DictionaryArray):
        held = column.dictionary.to_pylist()
        return [None if place is None else held[place] for place in column.indices.to_pylist()]
    return list(column.to_pylist())
