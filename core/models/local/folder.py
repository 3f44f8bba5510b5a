"""A model's folder: found, fetched or made from a `.gguf` file, checked before anything is loaded, and its revision.

Only safetensors are read: pickled weights can run code. Knows files, not models.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import AppError
from core.models.local import address, gguf_header, real_models, weights_address
from core.models.local.folder_checks import check, is_gguf
from core.records import ModelSpec
from core.settings import ROOT

if TYPE_CHECKING:
    from core.models.loading import Steps

COUNTED = ("*.safetensors", "*.json", "*.jinja", "*.txt", "*.model")
UNCOUNTED = ("evaluation.json", "origin.json")
_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)


def revision(path: Path, steps: Steps | None = None) -> str:
    """A content address of everything that makes the model, 16 hex digits: every byte of its weights, configuration,
    tokenizer and template, or of the `.gguf` file. What was measured of a model changes no number of it, and does
    not count.
    """
    if path.is_file():
        return address.of_gguf(path, steps)
    return address.of(path, _counted(path), steps)


def stamps(path: Path) -> list[address.Stamp]:
    """What changes when one of the files changes that the address of the folder, or of the `.gguf` file, covers."""
    return (
        address.stamps(path.parent, [path.name]) if path.is_file() else address.stamps(path, _counted(path))
    )


def _counted(path: Path) -> list[str]:
    files = {file.name for kind in COUNTED for file in path.glob(kind)}
    return sorted(files - set(UNCOUNTED))


def chat_template(path: Path) -> str:
    """The chat template that the folder or the `.gguf` file comes with, in any of the places where one is kept; several
    one after the other; "" where there is none.
    """
    if path.is_file():
        try:
            return str(gguf_header.read(path).metadata.get("tokenizer.chat_template") or "")
        except AppError:
            return ""
    own = path / "chat_template.jinja"
    try:
        if own.is_file():
            return own.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    for name in ("chat_template.json", "tokenizer_config.json"):
        try:
            held = json.loads((path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(held, dict) and held.get("chat_template"):
            return _as_text(held["chat_template"])
    return ""


def _as_text(found: object) -> str:
    """One template, or the named ones of a list, as text."""
    if isinstance(found, list):
        return "\n".join(str(one.get("template", "")) for one in found if isinstance(one, dict))
    return str(found)


def has_chat_template(path: Path) -> bool:
    """Whether the folder or the `.gguf` file comes with a chat template."""
    return bool(chat_template(path))


def weight_bytes(path: Path) -> int:
    """Size of the weights on disk."""
    return sum(file.stat().st_size for file in path.glob("*.safetensors"))


def local(path: str) -> Path | None:
    """The folder or `.gguf` file that `path` means on this machine, there or not; None for a name on the hub."""
    if path.startswith(real_models.PREFIX):
        return real_models.file_of(path)
    if weights_address.names(path):
        return weights_address.model_of(path)
    given = Path(path).expanduser()
    inside = given if given.is_absolute() else ROOT / given
    if inside.exists() or path.startswith((".", "/", "~")) or is_gguf(given) or not _HUB_NAME.fullmatch(path):
        return inside
    return None


def present_revision(spec: ModelSpec, steps: Steps | None = None) -> str:
    """The revision that `spec` has on this machine now; empty for a name on the hub and for what is not there."""
    if spec.path.startswith(real_models.PREFIX):
        return real_models.real_model(spec.path).revision
    path = local(spec.path)
    return revision(path, steps) if path is not None and path.exists() else ""


def find(spec: ModelSpec, steps: Steps) -> tuple[Path, str]:
    """The checked folder of `spec` on this machine and its revision; a name on the hub or an address is fetched
    first, a `.gguf` file made into a folder.

    A relative path counts from the project's root. Raises: AppError; Stopped.
    """
    if weights_address.names(spec.path):
        from core.models.local import fetched_weights  # with what reads the web, which pages do without

        fetched_weights.fetch(spec.path, steps)
    path = local(spec.path)
    if path is not None:
        if spec.path.startswith(real_models.PREFIX):
            real_models.check_here(spec.path)
        check(path)
        if not path.is_file():
            return path, revision(path, steps)
        from core.models.local import gguf_folder  # with torch, which pages do without

        return gguf_folder.made(path, steps), revision(path, steps)
    from core.models.local.hub import fetch

    found = fetch(spec.path, spec.revision or "main", steps)
    check(found)
    return found, found.name  # the hub's cache names a snapshot's folder by its commit
