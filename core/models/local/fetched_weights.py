"""Fetches the models that `MODEL_CONFIG` names by address (`weights_address.py`): once, into the data folder, checked
like any download, and opened like any folder from then on.

Bounded by `WHENCE_MAX_WEIGHTS_BYTES`, packed and unpacked, and by what is free on the disk; a redirect never leads into
a private network. To fetch anew, remove the folder that `place_of` tells. Knows files, not models.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets.bounds import Bounds
from core.datasets.web import fetch_into
from core.errors import AppError
from core.models.local import archive, bucket
from core.models.local.weights_address import (
    BUCKET,
    GGUF,
    NOTE,
    asked_address,
    hash_of,
    is_here,
    kind_of,
    place_of,
    without_hash,
)
from core.settings import settings

if TYPE_CHECKING:
    from core.models.loading import Steps

SECONDS = 24 * 3600.0
"""A model may take long to arrive; a server that says nothing for 15 seconds is given up before."""
KEPT_FREE_BYTES = 500_000_000


def fetch(path: str, steps: Steps) -> None:
    """Has the model of `path` in its place. Raises: AppError; Stopped."""
    if is_here(path):
        return
    place = place_of(path)
    unfinished = place.with_name(f"{place.name}.{os.getpid()}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        unfinished.mkdir(parents=True)
        about = _into(path, unfinished, steps)
        (unfinished / NOTE).write_text(json.dumps(about, indent=2), encoding="utf-8")
        shutil.rmtree(place, ignore_errors=True)  # without its note it was never whole
        try:
            unfinished.rename(place)
        except OSError:
            if not is_here(path):
                raise
    except OSError as error:
        raise AppError(
            f"The model could not be kept in {place.parent}: {error.strerror or error}.",
            hint="Check the free space, or set WHENCE_DATA_DIR to another folder.",
            code="storage",
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _into(path: str, folder: Path, steps: Steps) -> dict[str, object]:
    """Fetches, checks and unpacks into `folder`; what is noted about it."""
    kind, room = kind_of(path), _Room(folder, steps)
    shown = without_hash(path)
    steps(0.0, "Fetching")
    if path.startswith(BUCKET) and not kind:
        bucket.copy_folder(path, folder / "model", room.took)
        return {"address": shown}
    packed, hashed = folder / "packed", hashlib.sha256()
    if path.startswith(BUCKET):
        bucket.copy_file(shown, packed, room.took, hashed.update)
    else:
        _download(path, packed, room, hashed)
    wanted = hash_of(path)
    if wanted and hashed.hexdigest() != wanted:
        raise AppError(
            f"The file at {shown} is not the one that was named: its SHA-256 is {hashed.hexdigest()[:16]}…, expected "
            f"{wanted[:16]}….",
            code="damaged",
        )
    if kind == ".gguf":
        (folder / "model").mkdir()
        packed.rename(folder / "model" / GGUF)
    else:
        steps(0.4, "Unpacking")
        archive.unpack(packed, kind, folder / "model", room.unpacked)
        packed.unlink()
    return {"address": shown, "sha256": hashed.hexdigest()}


def _download(path: str, packed: Path, room: _Room, hashed: hashlib._Hash) -> None:
    bounds = Bounds(
        max_bytes=1 << 62, timeout_seconds=SECONDS
    )  # the bound is `room`'s, with a sentence of its own
    with packed.open("xb") as out:

        def keep(part: bytes, whole: int | None) -> None:
            room.took(len(part), whole or 0)
            hashed.update(part)
            out.write(part)

        fetch_into(asked_address(path), bounds, keep)


class _Room:
    """What may still be fetched and unpacked: the operator's bound, and what is free on the disk."""

    def __init__(self, folder: Path, steps: Steps) -> None:
        self._folder, self._steps = folder, steps
        self._most = settings().max_weights_bytes
        self._came, self._out, self._free, self._since = 0, 0, 0, 0

    def took(self, count: int, whole: int) -> None:
        """`count` bytes arrived of `whole` (0: unknown)."""
        self._came += count
        self._check(max(self._came, whole), "It has")
        self._disk(count, max(0, whole - self._came))
        self._steps(
            0.4 * min(1.0, self._came / whole) if whole else 0.0,
            f"Fetching, {self._came / 1e6:,.0f} MB so far",
        )

    def unpacked(self, count: int) -> None:
        """`count` bytes are taken out of the archive."""
        self._steps.check()
        self._out += count
        self._check(self._out, "It unpacks to")
        self._disk(count, 0)

    def _check(self, count: int, begins: str) -> None:
        if count > self._most:
            raise AppError(
                f"The model is too large: {begins} {count:,} bytes or more; at most {self._most:,} are taken.",
                hint="Raise WHENCE_MAX_WEIGHTS_BYTES, or choose a smaller model.",
                code="too_large",
            )

    def _disk(self, count: int, more: int) -> None:
        """Looks at the disk now and then: not at every block."""
        self._since += count
        if self._free and self._since < 64_000_000 and self._free - self._since > KEPT_FREE_BYTES:
            return
        self._free, self._since = shutil.disk_usage(self._folder).free, 0
        if self._free - more < KEPT_FREE_BYTES:
            raise AppError(
                f"There is no room for the model: {self._free / 1e9:,.1f} GB are free in {self._folder.parent}.",
                hint="Free some space, or set WHENCE_DATA_DIR to a folder on another disk.",
                code="disk_full",
            )
