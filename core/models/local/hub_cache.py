"""How full the Hugging Face hub's cache on this machine is, against the operator's bound. Looks and removes nothing."""

from __future__ import annotations

import os
from pathlib import Path

from core.errors import AppError

NEARLY = 0.8
"""From this part of the bound on, people are told."""


def held(name: str = "") -> int:
    """Bytes of all models and datasets in the cache, or of the model `name` alone; a file in several revisions once."""
    from huggingface_hub.constants import HF_HUB_CACHE

    cache = Path(os.environ.get("HF_HUB_CACHE") or HF_HUB_CACHE)
    pattern = f"models--{name.replace('/', '--')}" if name else "*--*"
    seen: dict[tuple[int, int], int] = {}
    for folder in cache.glob(pattern):
        for file in folder.rglob("*"):
            try:
                facts = file.lstat()
            except OSError:  # another program removed it
                continue
            if file.is_file() and not file.is_symlink():
                seen[facts.st_dev, facts.st_ino] = facts.st_size
    return sum(seen.values())


def check(name: str, size: int, most: int) -> None:
    """Raises: AppError when the model `name` of `size` bytes would take the cache past `most` (0: no bound)."""
    if not most:
        return
    there = held()
    more = max(0, size - held(name))
    if more and there + more > most:
        raise AppError(
            f"{name} needs {_gigabytes(more)} more, but the Hugging Face cache holds {_gigabytes(there)} and may hold "
            f"{_gigabytes(most)} here.",
            hint="Remove models that are no longer needed (`hf cache ls`, `hf cache rm`), or raise "
            "WHENCE_MAX_HUB_BYTES.",
            code="limit",
        )


def sentence(most: int) -> str:
    """How full the cache is; "" where nothing is in it."""
    there = held()
    if not there:
        return ""
    if not most:
        return f"The Hugging Face cache holds {_gigabytes(there)}."
    full = " Remove what is no longer needed before the next model." if there >= NEARLY * most else ""
    return f"The Hugging Face cache holds {_gigabytes(there)} of at most {_gigabytes(most)}.{full}"


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:,.1f} GB"
