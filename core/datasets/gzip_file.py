"""`.gz`: one compressed file, unpacked no further than the bound lets it."""

from __future__ import annotations

import zlib

from core.datasets.bounds import Bounds, too_large
from core.errors import AppError

_STEP = 4_000_000


def unzipped(data: bytes, file_name: str, bounds: Bounds) -> bytes:
    """The bytes within. Raises `AppError` where it is no gzip file, is cut off, or unpacks too large."""
    out = bytearray()
    rest = data
    while rest:
        stream = zlib.decompressobj(wbits=31)
        try:
            while rest and not stream.eof:
                out += stream.decompress(rest, _STEP)
                if len(out) > bounds.max_bytes:
                    raise too_large(f"The file in “{file_name}”", None, bounds)
                rest = stream.unconsumed_tail
        except zlib.error as error:
            raise AppError(f"“{file_name}” is not a gzip file, or it is spoiled.") from error
        if not stream.eof:
            raise AppError(f"“{file_name}” is cut off: its end is missing.")
        rest = stream.unused_data.lstrip(b"\0")
    return bytes(out)
