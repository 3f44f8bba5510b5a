"""Content addresses of files: 16 hex digits over their names and every byte. Knows no model.

Large files are read once: the address is kept in the data folder until size, times of change or inode of any of them
are others. The inode's time of change cannot be set by hand, as a file's own can.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.settings import settings

if TYPE_CHECKING:
    from core.models.loading import Steps

SMALL_BYTES = 64 * 1024 * 1024
"""Less is read anew each time: that takes no time, and no note of it is kept."""
BLOCK_BYTES = 8 * 1024 * 1024
GGUF_READER = "gguf reader 1"
"""Part of a `.gguf` file's address: another way of reading it makes another model."""
Stamp = tuple[str, int, int, int, int]


def stamps(folder: Path, names: Sequence[str]) -> list[Stamp]:
    """Name, size, times of change and inode of each file: what is another when a file is."""
    about = [(name, (folder / name).stat()) for name in names]
    return [(name, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino) for name, seen in about]


def of(
    folder: Path, names: Sequence[str], steps: Steps | None = None, *, salt: str = "", named: bool = True
) -> str:
    """The address of the files `names` in `folder`; `salt` goes in before them, names only if `named`.

    Raises: Stopped; OSError.
    """
    seen = stamps(folder, names)
    large = sum(size for _, size, *_ in seen) >= SMALL_BYTES
    kept = _note(folder, names, salt)
    if large and (known := _known(kept, seen)):
        return known
    hashed = hashlib.sha256(salt.encode())
    for name in names:
        hashed.update(name.encode() if named else b"")
        with (folder / name).open("rb") as opened:
            while block := opened.read(BLOCK_BYTES):
                if steps is not None:
                    steps.check()
                hashed.update(block)
    address = hashed.hexdigest()[:16]
    if large and seen == stamps(folder, names):
        _keep(kept, seen, address)
    return address


def of_gguf(file: Path, steps: Steps | None = None) -> str:
    """The address of the model in a `.gguf` file, whatever the file is called. Raises: Stopped; OSError."""
    return of(file.parent, [file.name], steps, salt=GGUF_READER, named=False)


def _note(folder: Path, names: Sequence[str], salt: str) -> Path:
    which = "\0".join([salt, str(folder.resolve()), *names])
    return settings().data_dir / "addresses" / f"{hashlib.sha256(which.encode()).hexdigest()[:32]}.json"


def _known(kept: Path, seen: list[Stamp]) -> str:
    try:
        known = json.loads(kept.read_text(encoding="utf-8"))
        if known["files"] == [list(stamp) for stamp in seen] and re.fullmatch(
            "[0-9a-f]{16}", known["address"]
        ):
            return str(known["address"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return ""


def _keep(kept: Path, seen: list[Stamp], address: str) -> None:
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_suffix(f".{os.getpid()}.part")
        unfinished.write_text(json.dumps({"files": seen, "address": address}), encoding="utf-8")
        unfinished.replace(kept)
    except OSError:
        pass  # it is read again next time
