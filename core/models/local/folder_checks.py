"""Whether a folder, or a list of a repository's files, is a model that may be read.

Only safetensors are read: pickled weights can run code. Knows names of files only.
"""

from __future__ import annotations

from pathlib import Path

from core.errors import AppError

PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


def check(path: Path) -> None:
    """Raises: AppError when `path` is neither a model folder nor a `.gguf` file, or holds only pickled weights."""
    if is_gguf(path) and path.is_file():
        return
    if not path.is_dir():
        if path.is_file():
            raise AppError(
                f"{path.name} is no file of a kind that is read here.",
                hint="Expected a folder with config.json and .safetensors weights, or a .gguf file.",
            )
        raise AppError(
            f"There is no {'file' if is_gguf(path) else 'folder'} {path}.",
            hint="Expected a folder with config.json and .safetensors weights, a .gguf file, or a name on the hub "
            "such as google/gemma-2-2b-it.",
            code="not_found",
        )
    check_names([entry.name for entry in path.iterdir()], f"The folder {path}")


def is_gguf(path: Path) -> bool:
    """Whether it is llama.cpp's form of a model, by its name or, as in Ollama's folder, by its first letters."""
    if path.suffix.lower() == ".gguf":
        return True
    try:
        with path.open("rb") as file:
            return file.read(4) == b"GGUF"
    except OSError:
        return False


def check_names(names: list[str], where: str) -> None:
    """Raises: AppError when `names` are not a model's files, or its weights are only pickled.

    `where` begins the sentence ("The folder /models/mine").
    """
    names = sorted(name for name in names if "/" not in name)
    if "config.json" not in names:
        raise AppError(
            f"{where} is not a model: expected a config.json in it, but it holds "
            f"{', '.join(names[:5]) or 'nothing'}{' and more' if len(names) > 5 else ''}.",
        )
    if not any(name.endswith(".safetensors") for name in names):
        pickled = [name for name in names if name.endswith(PICKLED)]
        if pickled:
            raise AppError(
                f"{where} holds only pickled weights ({pickled[0]}), which could run code when opened and "
                "are never loaded.",
                hint="Expected .safetensors: save the model again with save_pretrained, or choose a revision "
                "that has them.",
            )
        raise AppError(f"{where} holds no weights: expected at least one .safetensors file.")
