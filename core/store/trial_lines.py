"""What was measured of a model on prompts whose cause is known, a line a prompt, by the model's key.

    <folder>/trials/<2 hex>/<key>.jsonl

A line is on disk before the next prompt is asked, so that a stopped or killed measurement goes on where it was; a line
that cannot be read counts as missing. Knows neither database nor model.
"""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.store import faults
from core.store.bundle import place


class TrialLines:
    """`data_dir/trials`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()

    def of(self, key: str) -> list[dict[str, Any]]:
        """All lines of the model `key`, in the order in which they were measured; each prompt once."""
        try:
            written = self._path(key).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []
        found: dict[tuple[str, int], dict[str, Any]] = {}
        for one in written:
            with suppress(ValueError, KeyError, TypeError):
                line = json.loads(one)
                if isinstance(line["verdict"], str):
                    found.setdefault((str(line["task"]), int(line["row"])), line)
        return list(found.values())

    def add(self, key: str, line: dict[str, Any]) -> None:
        """Keeps one more line. Raises: AppError where it cannot be written."""
        path = self._path(key)
        with self._lock:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                cut = path.exists() and path.stat().st_size and not path.read_bytes().endswith(b"\n")
                with path.open("a", encoding="utf-8") as file:
                    file.write(("\n" if cut else "") + json.dumps(line) + "\n")
            except OSError as error:
                raise faults.of_folder(error, path) from error

    def forget(self, key: str) -> None:
        """As if the model had never been measured. Raises: AppError where the file cannot be removed."""
        try:
            self._path(key).unlink(missing_ok=True)
        except OSError as error:
            raise faults.of_folder(error, self._path(key)) from error

    def _path(self, key: str) -> Path:
        return place(self.folder, "trials", key, ".jsonl")
