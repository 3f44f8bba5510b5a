"""A `.gguf` file made into a folder of safetensors once, and opened like any folder from then on.

The folder lies in the data folder under the content address of the file; it appears whole or not at all, also when
two processes make it at once. The weights are read as float32: what they stand for exactly.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from core.errors import AppError
from core.models.loading import Bar, Steps
from core.models.local import address, gguf_config, gguf_header, gguf_tokenizer, integrity
from core.models.local.address import GGUF_READER
from core.records import ModelSpec
from core.settings import settings

ORIGIN = "origin.json"
KEPT_FREE_BYTES = 200_000_000
WORDS = ("tokenizer.ggml.tokens",)


def folder_of(file: Path, steps: Steps | None = None) -> Path:
    """Where the model in `file` is kept as a folder, made or not."""
    return settings().data_dir / "models" / f"gguf-{address.of_gguf(file, steps)}"


def origin(folder: Path) -> dict[str, Any] | None:
    """What a folder made here came from: `file`, `name`, `architecture`, `quantization`, `license`; else None."""
    try:
        known = json.loads((folder / ORIGIN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return known if isinstance(known, dict) else None


def sentence(quantization: str, precision: str) -> str:
    """What a page says beside a model that came from such a file and runs in `precision`."""
    whole = quantization in ("F32", "F16", "BF16")
    if precision != "float32":
        return f"{quantization} weights of a .gguf file, read as {precision}, which rounds them once more."
    return (
        f"{quantization} weights of a .gguf file, read as float32: the maps are exact for these weights"
        + ("." if whole else ", not for those of the model before it was quantised.")
    )


def made(file: Path, steps: Steps) -> Path:
    """The folder of the model in `file`, converted now if it was not before.

    Raises: AppError when it cannot be read rightly, or there is no room for it; Stopped.
    """
    steps(0.0, "Reading the file")
    target = folder_of(file, steps)
    if origin(target) is not None:
        return target
    header = gguf_header.read(file, WORDS)
    gguf_config.check(header)
    gguf_tokenizer.check(header)
    _check_room(target, header)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        _convert(header, unfinished, steps)
        steps.check()
        about = {
            "file": file.name, "name": header.name, "architecture": header.architecture,
            "quantization": header.quantization, "license": str(header.metadata.get("general.license", "")),
            "reader": GGUF_READER,
        }  # fmt: skip
        (unfinished / ORIGIN).write_text(json.dumps(about, indent=2), encoding="utf-8")
        try:
            unfinished.rename(target)
        except OSError:
            if origin(target) is None:
                raise
    except OSError as error:
        raise AppError(
            f"{file.name} could not be kept in {target.parent}: {error.strerror or error}.",
            hint="Check the free space, or set WHENCE_DATA_DIR to another folder.",
            code="storage",
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return target


def _check_room(target: Path, header: gguf_header.Header) -> None:
    needed = 4 * header.parameters + KEPT_FREE_BYTES
    place = next(parent for parent in target.parents if parent.exists())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise AppError(
            f"{header.path.name} needs {needed / 1e9:,.1f} GB on disk as float32 weights, and {free / 1e9:,.1f} GB "
            f"are free in {place}.",
            hint="Free some space, or set WHENCE_DATA_DIR to a folder on another disk.",
            code="storage",
        )


def _convert(header: gguf_header.Header, target: Path, steps: Steps) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
    from transformers.utils.quantization_config import GgufConfig

    source = header.path.resolve()
    if source.suffix.lower() != ".gguf":  # Ollama's files have no ending, by which the library knows the kind
        (target / "source.gguf").symlink_to(source)
        source = target / "source.gguf"
    where: dict[str, Any] = {
        "pretrained_model_name_or_path": str(source.parent), "gguf_file": source.name, "local_files_only": True,
    }  # fmt: skip
    spec = ModelSpec(header.name, str(header.path))
    try:
        steps(0.02, "Reading the vocabulary")
        tokenizer = gguf_tokenizer.mend(AutoTokenizer.from_pretrained(**where), header)
        tokenizer.save_pretrained(target)
        gguf_tokenizer.drop_added(target, header)
        steps(0.4, "Reading the configuration")
        config = AutoConfig.from_pretrained(**where)
        gguf_config.complete(config, header)
        with steps.watching(0.8, 0.85, "Reading the weights"), _watched(steps), _all_used(header):
            # `dequantize`: weights in their blocks would need code fetched from the hub.
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                config=config, dtype=torch.float32, output_loading_info=True,
                quantization_config=GgufConfig(dequantize=True), **where,
            )  # fmt: skip
        model, report = loaded
        integrity.check_report(spec, report)
        steps(0.85, "Keeping the weights")
        _unquantised(model)
        ends = gguf_tokenizer.end_ids(header)
        if model.generation_config is not None and ends:
            model.generation_config.eos_token_id = ends
        model.save_pretrained(target)
        (target / "source.gguf").unlink(missing_ok=True)
        for file in target.glob("*.safetensors"):
            file.chmod(0o644)  # the library writes them for its own user alone
    except (AppError, OSError):
        raise
    except Exception as error:  # a damaged file shows in any way that the libraries have
        said = " ".join(str(error).split())[:300] or type(error).__name__
        raise AppError(
            f"{header.path.name} could not be read: {said}",
            hint="Fetch it again, or choose another one.",
            code="damaged",
        ) from error
    finally:
        model = loaded = None
        gc.collect()


def _unquantised(model: Any) -> None:
    """Takes transformers' quantiser off: with it, a model that is all float32 by now refuses to be saved."""
    model.hf_quantizer = None
    model.is_quantized = False
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config


@contextmanager
def _watched(steps: Steps) -> Iterator[None]:
    """Makes transformers' older reader report its progress, which it does on the terminal only."""
    from transformers import modeling_gguf_pytorch_utils as reader

    before = reader.tqdm
    reader.tqdm = partial(Bar, steps, 0.42, 0.8, "Reading the weights")
    try:
        yield
    finally:
        reader.tqdm = before


@contextmanager
def _all_used(header: gguf_header.Header) -> Iterator[None]:
    """Raises: AppError when the reader leaves a tensor of the file out, which it does in silence."""
    from transformers import modeling_gguf_pytorch_utils as reader

    before = reader.get_gguf_hf_weights_map

    def mapped(*args: Any, **kwargs: Any) -> Any:
        found = before(*args, **kwargs)
        if len(args) > 2 or "model_type" in kwargs:  # of a part of the model: it asks itself for those
            return found
        left = [
            tensor.name
            for tensor in header.tensors
            if tensor.name not in found
            and tensor.name not in gguf_config.ROPE_TENSORS
            and not _expert(tensor.name)
        ]
        if left:
            raise AppError(
                f"{header.path.name} holds {len(left)} tensors that transformers' {header.architecture} model has no "
                f"place for ({', '.join(left[:4])}): it would be another model.",
                hint="Choose the same model as a folder with safetensors.",
            )
        return found

    reader.get_gguf_hf_weights_map = mapped
    try:
        yield
    finally:
        reader.get_gguf_hf_weights_map = before


def _expert(name: str) -> bool:
    """Experts are merged before they are looked up, and tell what they lack as missing weights."""
    return "_exps" in name
