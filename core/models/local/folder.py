"""A model's folder: found or fetched, checked before anything is loaded from it, and its revision.

Only safetensors are read: pickled weights can run code. Knows files, not models.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from core.models.local.folder_checks import check
from core.records import ModelSpec
from core.settings import ROOT, settings

if TYPE_CHECKING:
    from core.models.loading import Steps

SMALL_BYTES = 64 * 1024 * 1024
"""A smaller folder is read anew each time: that takes no time, and no note of it is kept."""
BLOCK_BYTES = 8 * 1024 * 1024
COUNTED = ("*.safetensors", "*.json", "*.jinja", "*.txt", "*.model")
UNCOUNTED = ("evaluation.json", "origin.json")
_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)


def revision(path: Path, steps: Steps | None = None) -> str:
    """A content address of everything that makes the model, 16 hex digits: every byte of its weights, configuration,
    tokenizer and template.

    A folder is read once: its address is kept in the data folder until a file's size, time of change or inode is
    another. What was measured of a model changes no number of it, and does not count.
    """
    seen = stamps(path)
    kept = (
        settings().data_dir
        / "addresses"
        / f"{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:32]}.json"
    )
    large = sum(size for _, size, *_ in seen) >= SMALL_BYTES
    if large:
        try:
            known = json.loads(kept.read_text(encoding="utf-8"))
            if known["files"] == [list(stamp) for stamp in seen] and re.fullmatch(
                "[0-9a-f]{16}", known["address"]
            ):
                return str(known["address"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
    hashed = hashlib.sha256()
    for name, *_ in seen:
        hashed.update(name.encode())
        with (path / name).open("rb") as opened:
            while block := opened.read(BLOCK_BYTES):
                if steps is not None:
                    steps.check()
                hashed.update(block)
    address = hashed.hexdigest()[:16]
    if large and seen == stamps(path):
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            unfinished = kept.with_suffix(f".{os.getpid()}.part")
            unfinished.write_text(json.dumps({"files": seen, "address": address}), encoding="utf-8")
            unfinished.replace(kept)
        except OSError:
            pass  # it is read again next time
    return address


def stamps(path: Path) -> list[tuple[str, int, int, int, int]]:
    """Name, size, times of change and inode of each file that the address covers: what changes when a file does.

    The inode's time of change cannot be set by hand, as a file's own can.
    """
    files = sorted(file for kind in COUNTED for file in path.glob(kind) if file.name not in UNCOUNTED)
    about = [(file.name, file.stat()) for file in files]
    return [(name, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino) for name, seen in about]


def has_chat_template(path: Path) -> bool:
    """Whether the tokenizer in the folder comes with a chat template, in either place where one is kept."""
    if (path / "chat_template.jinja").is_file() or (path / "chat_template.json").is_file():
        return True
    try:
        held = json.loads((path / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(held, dict) and bool(held.get("chat_template"))


def weight_bytes(path: Path) -> int:
    """Size of the weights on disk."""
    return sum(file.stat().st_size for file in path.glob("*.safetensors"))


def local(path: str) -> Path | None:
    """The folder that `path` means on this machine, there or not; None for a name on the hub."""
    given = Path(path).expanduser()
    inside = given if given.is_absolute() else ROOT / given
    if inside.exists() or path.startswith((".", "/", "~")) or not _HUB_NAME.fullmatch(path):
        return inside
    return None


def find(spec: ModelSpec, steps: Steps) -> tuple[Path, str]:
    """The checked folder of `spec` on this machine and its revision; a name on the hub is fetched first.

    A relative path counts from the project's root. Raises: AppError; Stopped.
    """
    path = local(spec.path)
    if path is not None:
        check(path)
        return path, revision(path, steps)
    from core.models.local.hub import fetch

    found = fetch(spec.path, spec.revision or "main", steps)
    check(found)
    return found, found.name  # the hub's cache names a snapshot's folder by its commit
