"""What a zip archive says it holds, judged before a library reads it: `zipfile` makes an object of every entry.

A file of 100 MB can name two million entries, which would take gigabytes. The end of the file tells how long that list
is (APPNOTE.TXT 4.3.14 to 4.3.16); what it tells is what `zipfile` reads, no more. Knows nothing of what is inside.
"""

from __future__ import annotations

import os
import struct
import zipfile
from typing import BinaryIO

from core.errors import AppError

MOST_ENTRIES = 10_000
LIST_BYTES = 4_000_000
"""Of the list of entries: 46 bytes each, and the names."""
_END, _END64, _WHERE64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_END_BYTES, _WHERE64_BYTES, _LONGEST_COMMENT = 22, 20, 65_535


def opened(file: BinaryIO, what: str) -> zipfile.ZipFile:
    """The archive in `file`, which can be sought in; `what` begins the sentence ("The workbook").

    Raises: AppError when it lists more than `MOST_ENTRIES`; zipfile.BadZipFile when it is none.
    """
    listed = _list_bytes(file)
    if listed > LIST_BYTES:
        raise _too_many(what, f"its list of entries alone has {listed:,} bytes")
    file.seek(0)
    archive = zipfile.ZipFile(file)
    if len(archive.infolist()) > MOST_ENTRIES:
        raise _too_many(what, f"it holds {len(archive.infolist()):,} entries")
    return archive


def _too_many(what: str, said: str) -> AppError:
    return AppError(
        f"{what} is not opened: {said}; at most {MOST_ENTRIES:,} entries are read.", code="too_large"
    )


def _list_bytes(file: BinaryIO) -> int:
    """Length of the list of entries; 0 where there is no end that tells it (`zipfile` says what is wrong then)."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END_BYTES - _LONGEST_COMMENT - _WHERE64_BYTES))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_BYTES:
        return 0
    (told,) = struct.unpack_from("<L", tail, at + 12)
    where = at - _WHERE64_BYTES
    if where >= 0 and tail[where : where + 4] == _WHERE64:
        (place,) = struct.unpack_from("<Q", tail, where + 8)
        for begins in {place, size - len(tail) + where - 56}:  # as it says, and where it stands by rule
            if 0 <= begins <= size - 56:
                file.seek(begins)
                record = file.read(56)
                if record[:4] == _END64:
                    told = max(told, struct.unpack_from("<Q", record, 40)[0])
    return int(told)
