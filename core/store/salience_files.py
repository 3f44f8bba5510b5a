"""Salience matrices on disk by content address, within a budget: the least recently used leave first.

"Used" is the file's modification time, which a read renews, so that several processes share one folder
without a common index. A file that is truncated, altered or of another request is removed and counts as
missing. Knows neither database nor model.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from core.records import SalienceMatrix
from core.store import faults
from core.store.bundle import place, read_salience, request_ids, salience_to_bytes, write_atomically

_ABANDONED_SECONDS = 3600


class SalienceFiles:
    """`data_dir/salience/<2 hex>/<key>.npz`, at most `budget_bytes` of them."""

    def __init__(self, folder: Path, budget_bytes: int) -> None:
        self.folder = folder
        self.budget_bytes = budget_bytes
        self._lock = threading.Lock()
        self._held: int | None = None
        for part in (folder / "salience").glob("??/.*.part"):  # left behind by a killed process
            with contextlib.suppress(OSError):
                if part.stat().st_mtime < time.time() - _ABANDONED_SECONDS:
                    part.unlink()

    def get(self, key: str) -> SalienceMatrix | None:
        """The matrix of `key`, or None."""
        path = place(self.folder, "salience", key, ".npz")
        if not path.exists():
            return None
        found = read_salience(path)
        if found is None or found.request.key != key:
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return found

    def put(self, matrix: SalienceMatrix) -> bool:
        """Keeps `matrix`, and says whether it did: one that is larger than the whole budget is not kept.

        Raises: AppError when the disk is full or the folder cannot be written.
        """
        data = salience_to_bytes(matrix)
        if len(data) > self.budget_bytes:
            return False
        path = place(self.folder, "salience", matrix.request.key, ".npz")
        try:
            before = path.stat().st_size if path.exists() else 0
            write_atomically(path, data)
        except OSError as error:
            raise faults.of_folder(error, path.parent) from error
        with self._lock:
            if self._held is None:
                self._held = sum(size for _, size, _ in self._files())
            else:
                self._held += len(data) - before
            if self._held > self.budget_bytes:
                self._evict(keep=path)
        return True

    def forget(self, texts: Collection[tuple[int, ...]]) -> None:
        """Removes every matrix of one of `texts`, each the token ids of a prompt and its answer."""
        if not texts:
            return
        for path in self.of(texts):
            with contextlib.suppress(OSError):
                path.unlink()
        with self._lock:
            self._held = None

    def of(self, texts: Collection[tuple[int, ...]]) -> Iterator[Path]:
        """The files of matrices of one of `texts`."""
        return (path for _, _, path in self._files() if texts and request_ids(path) in texts)

    def stored_bytes(self) -> int:
        """What the files weigh together."""
        return sum(size for _, size, _ in self._files())

    def _files(self) -> list[tuple[int, int, Path]]:
        found = []
        for path in (self.folder / "salience").glob("??/*.npz"):
            with contextlib.suppress(OSError):  # another process may have removed it
                facts = path.stat()
                found.append((facts.st_mtime_ns, facts.st_size, path))
        return found

    def _evict(self, keep: Path) -> None:
        files = sorted(self._files())
        held = sum(size for _, size, _ in files)
        for _, size, path in files:
            if held <= self.budget_bytes:
                break
            if path == keep:
                continue
            with contextlib.suppress(OSError):
                path.unlink()
            held -= size
        self._held = held
