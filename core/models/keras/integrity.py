"""A KerasHub preset against its files: every number of them is in the model, every one of the model's is finite.

KerasHub reads the weights it has places for and says nothing of the others, so that a preset whose configuration asks
for fewer layers is another model than the one in its files. Numbers are counted, not names: they differ between the two
forms of preset (KerasHub's own `.h5`, transformers' safetensors that it converts). Knows no text.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from core.errors import AppError
from core.models.local import address
from core.models.local.integrity import BUFFERS, check_numbers
from core.records import ModelSpec

HINT = "The files are of two models, or not whole: fetch or save the model again."


def files_of(folder: Path) -> list[str]:
    """All that makes the preset in `folder`, by name, in order."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def revision(folder: Path) -> str:
    """The content address of the preset: every byte of its files. Raises: OSError."""
    return address.of(folder, files_of(folder), salt="keras preset 1")


def check(spec: ModelSpec, folder: Path | None, backbone: Any, tokenizer: Any) -> None:
    """Raises: AppError for numbers that are missing or left over, NaN or infinite, or tokens without an embedding.

    `folder` is None where the library fetched the preset by its name.
    """
    held = None if folder is None else numbers_in(folder, backbone)
    wanted = int(backbone.count_params())
    if held is not None and held != wanted:
        less = held < wanted
        raise AppError(
            f"{spec.name} is not what its files say: its configuration has places for {wanted:,} numbers, they hold "
            f"{held:,}. {'Some would be missing' if less else 'Some would be left out'}.",
            hint=HINT,
            code="damaged",
        )
    check_numbers(spec, ((variable.path, variable.value) for variable in backbone.weights))
    rows, words = int(backbone.token_embedding.input_dim), int(tokenizer.vocabulary_size())
    if words > rows:
        raise AppError(
            f"The tokenizer of {spec.name} knows {words:,} tokens, but its weights have rows for {rows:,} only.",
            hint="Tokenizer and weights are not of one model.",
            code="damaged",
        )


def numbers_in(folder: Path, backbone: Any) -> int | None:
    """How many numbers the weights in `folder` are; None where it holds none of a form that is known."""
    own = sorted(folder.glob("model*.weights.h5"))
    if own:
        import h5py

        count = 0
        for path in own:
            with h5py.File(path, "r") as opened:
                found: list[int] = []
                opened.visititems(
                    lambda name, one, found=found: (
                        found.append(math.prod(one.shape))
                        if isinstance(one, h5py.Dataset) and "/vars/" in f"/{name}"
                        else None
                    )
                )
                count += sum(found)
        return count
    from safetensors import safe_open

    sizes: dict[str, int] = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="np") as opened:
            for name in opened.keys():  # noqa: SIM118
                if not BUFFERS.search(name):
                    sizes[name] = math.prod(opened.get_slice(name).get_shape())
    if not sizes:
        return None
    if getattr(backbone.token_embedding, "tie_weights", False):
        sizes.pop("lm_head.weight", None)  # the embedding once more
    return sum(sizes.values())
