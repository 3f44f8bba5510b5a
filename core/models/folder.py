"""Checks of a model's folder before anything is loaded from it, and its revision.

Only safetensors are read: pickled weights can run code. Knows files, not models.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from core.errors import AppError

SMALL_BYTES = 64 * 1024 * 1024
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


def check(path: Path) -> None:
    """Raises: AppError when `path` is not a model folder, or holds only pickled weights."""
    if not path.is_dir():
        raise AppError(
            f"There is no folder {path}.",
            hint="Expected a folder with config.json and .safetensors weights, or a name on the hub "
            "such as google/gemma-2-2b-it.",
            code="not_found",
        )
    names = sorted(entry.name for entry in path.iterdir())
    if "config.json" not in names:
        raise AppError(
            f"The folder {path} is not a model folder: expected a config.json in it, but it holds "
            f"{', '.join(names[:5]) or 'nothing'}{' and more' if len(names) > 5 else ''}.",
        )
    if not any(name.endswith(".safetensors") for name in names):
        pickled = [name for name in names if name.endswith(PICKLED)]
        if pickled:
            raise AppError(
                f"The folder {path} holds only pickled weights ({pickled[0]}), which could run code when "
                "opened and are never loaded.",
                hint="Expected .safetensors: save the model again with save_pretrained, or choose a revision "
                "that has them.",
            )
        raise AppError(f"The folder {path} holds no weights: expected at least one .safetensors file.")


def revision(path: Path) -> str:
    """A content address of the weights and their configuration, 16 hex digits.

    Small models are hashed whole; larger ones (64 MB and more) by name, size and time of change, because
    hashing them would take longer than loading.
    """
    files = sorted([*path.glob("*.safetensors"), *path.glob("*.json"), *path.glob("*.jinja")])
    small = sum(file.stat().st_size for file in files) < SMALL_BYTES
    hashed = hashlib.sha256()
    for file in files:
        hashed.update(file.name.encode())
        if small:
            hashed.update(file.read_bytes())
        else:
            about = file.stat()
            hashed.update(f"{about.st_size}:{about.st_mtime_ns}".encode())
    return hashed.hexdigest()[:16]


def weight_bytes(path: Path) -> int:
    """Size of the weights on disk."""
    return sum(file.stat().st_size for file in path.glob("*.safetensors"))
