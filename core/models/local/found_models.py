"""The models that other programs have put on this machine: Hugging Face's cache, Ollama, LM Studio, llama.cpp.

Only looked at, never changed. Folders that cannot be read are passed over; a file that is there but cannot be opened
here says why. Knows headers and configurations, loads nothing.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import AppError
from core.models.local import configuration, gguf_config, gguf_header, gguf_tokenizer
from core.models.local.folder import has_chat_template
from core.models.local.folder_checks import check
from core.models.local.sizes import count_parameters

MOST_LISTED = 200
OLLAMA_WEIGHTS = "application/vnd.ollama.image.model"


@dataclass(frozen=True, slots=True)
class FoundModel:
    """One model; `why` says what keeps it from being opened here, or is empty."""

    name: str
    path: Path
    program: str
    bytes: int
    architecture: str = ""
    quantization: str = ""
    parameters: int = 0
    chat: bool = False
    why: str = ""


def find() -> tuple[FoundModel, ...]:
    """Every model found, by program and name; at most `MOST_LISTED`."""
    found: list[FoundModel] = []
    for program, name, path in (*_hugging_face(), *_ollama(), *_lm_studio(), *_llama_cpp()):
        if len(found) == MOST_LISTED:
            break
        found.append(_look(program, name, path))
    return tuple(sorted(found, key=lambda one: (one.program, one.name)))


def _look(program: str, name: str, path: Path) -> FoundModel:
    size = 0
    try:
        if path.is_dir():
            size = sum(file.stat().st_size for file in path.glob("*.safetensors"))
            check(path)
            config = configuration.read(path)
            return FoundModel(
                name, path, program, size, str(config.get("model_type", "")), "", count_parameters(path)[0],
                has_chat_template(path),
            )  # fmt: skip
        size = path.stat().st_size
        header = gguf_header.read(path)
        described = FoundModel(
            name, path, program, size, header.architecture, header.quantization, header.parameters,
            bool(header.metadata.get("tokenizer.chat_template")),
        )  # fmt: skip
    except (AppError, OSError) as error:
        why = error.message if isinstance(error, AppError) else f"It cannot be read: {error.strerror}."
        return FoundModel(name, path, program, size, why=why)
    try:
        gguf_config.check(header)
        gguf_tokenizer.check(header)
    except AppError as error:
        return FoundModel(
            name,
            path,
            program,
            size,
            header.architecture,
            header.quantization,
            header.parameters,
            why=error.message,
        )
    return described


def _hugging_face() -> Iterator[tuple[str, str, Path]]:
    from huggingface_hub.constants import HF_HUB_CACHE

    cache = Path(os.environ.get("HF_HUB_CACHE") or HF_HUB_CACHE)
    for folder in _inside(cache, "models--*"):
        name = folder.name.removeprefix("models--").replace("--", "/")
        snapshots = [one for one in _inside(folder / "snapshots", "*") if (one / "config.json").is_file()]
        if snapshots:
            newest = max(snapshots, key=lambda one: one.stat().st_mtime)
            yield "Hugging Face", name, newest
        for file in _inside(folder / "snapshots", "*/*.gguf"):
            yield "Hugging Face", f"{name}, {file.stem}", file


def _ollama() -> Iterator[tuple[str, str, Path]]:
    home = Path(os.environ.get("OLLAMA_MODELS") or Path.home() / ".ollama" / "models")
    for manifest in _inside(home / "manifests", "*/*/*/*"):
        try:
            layers = json.loads(manifest.read_text(encoding="utf-8"))["layers"]
            digests = [layer["digest"] for layer in layers if layer["mediaType"] == OLLAMA_WEIGHTS]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        owner, name, tag = manifest.parts[-3:]
        shown = f"{name}:{tag}" if owner == "library" else f"{owner}/{name}:{tag}"
        for digest in digests[:1]:
            file = home / "blobs" / str(digest).replace(":", "-")
            if file.parent == home / "blobs" and file.is_file():
                yield "Ollama", shown, file


def _lm_studio() -> Iterator[tuple[str, str, Path]]:
    for home in (Path.home() / ".lmstudio" / "models", Path.home() / ".cache" / "lm-studio" / "models"):
        for file in _inside(home, "*/*/*.gguf"):
            yield "LM Studio", f"{file.parts[-3]}/{file.stem}", file


def _llama_cpp() -> Iterator[tuple[str, str, Path]]:
    usual = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "llama.cpp"
    for file in _inside(Path(os.environ.get("LLAMA_CACHE") or usual), "*.gguf"):
        yield "llama.cpp", file.stem, file


def _inside(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []
