"""`.parquet`: columns as they are typed, rows numbered from 1; read in batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.datasets.reading import Reading
from core.errors import AppError

_BATCH_ROWS = 2_000


def read_parquet(data: bytes) -> Reading:
    """Raises `AppError` for a file that is not Parquet, or spoiled."""
    try:
        file = pq.ParquetFile(BytesIO(data))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise AppError("The file is not a Parquet file, or it is not whole.") from error
    return Reading(_rows(file))


def _rows(file: pq.ParquetFile) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    number = 0
    try:
        for batch in file.iter_batches(_BATCH_ROWS):
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except (pa.ArrowException, OSError, ValueError):
        yield number + 1, "The file is spoiled from here on."
