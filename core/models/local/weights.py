"""Weights and tokenizer read from a checked folder with transformers, in the precision asked for.

Safetensors only, never code from a model's folder, and the attention implementation that is the model's own
default. Knows folders and precisions, not what the model is used for.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

from core.errors import AppError, Stopped
from core.models.loading import Steps
from core.models.local import configuration, integrity
from core.models.local.products import use_faster_products
from core.records import ModelSpec
from core.settings import settings

logger = logging.getLogger(__name__)

SINGLE_THREAD_PARAMETERS = 20_000_000
THREADS = torch.get_num_threads()
"""torch's own choice."""
DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "float64": torch.float64,
}


def check(spec: ModelSpec) -> None:
    """Raises: AppError for a precision that there is not."""
    if spec.dtype not in DTYPES:
        raise AppError(
            f"There is no precision called {spec.dtype!r}.", hint=f"Available: {', '.join(DTYPES)}."
        )


def read(path: Path, spec: ModelSpec, steps: Steps) -> tuple[Any, Any, tuple[str, ...]]:
    """The causal model, its tokenizer, and what a person should know of both (a sentence each).

    Raises: AppError when they cannot be loaded, or are not what the files say (`integrity.py`); Stopped.
    """
    common: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    extra: dict[str, Any] = {}
    if spec.quantization != "none":
        extra["quantization_config"] = quantization(spec)
    if spec.device == "auto" or spec.quantization != "none":
        extra["device_map"] = spec.device
    notes: list[str] = []
    configuration.read(path)
    try:
        steps(0.0, "Reading the tokenizer")
        tokenizer = AutoTokenizer.from_pretrained(path, **common)
        with steps.watching(0.1, 0.9, "Reading the weights"):
            # Another shape is let through here and refused below, with the names that the library keeps to itself.
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                path, dtype=DTYPES[spec.dtype], use_safetensors=True, ignore_mismatched_sizes=True,
                output_loading_info=True, **extra, **common,
            )  # fmt: skip
        model, report = loaded
        notes += integrity.check_report(spec, report)
        steps(0.9, "Checking the weights")
        if spec.quantization != "none":
            integrity.check_numbers(spec, integrity.weights_in(path))
        integrity.check_numbers(spec, integrity.weights_of(model))
        notes += integrity.check_vocabulary(spec, tokenizer, model.get_input_embeddings().weight.shape[0])
        if "device_map" not in extra and spec.device != "cpu":
            model.to(spec.device)
    except (AppError, Stopped):
        raise
    except Exception as error:  # what a library says of files that are not what it expects has no one type
        logger.warning("%s could not be loaded", spec.name, exc_info=True)
        raise unloadable(spec, error) from error
    if spec.quantization != "none":
        settle(model)
    if spec.device == "cpu":
        use_faster_products()
        use_threads(int(model.num_parameters()))
    return model, tokenizer, tuple(notes)


def use_threads(parameters: int) -> None:
    """Threads of a model on a processor: the operator's choice, else one for a small model.

    Sharing out the products of a small model costs more than it gives, and where other work wants the cores,
    threads that wait for each other stop it almost altogether.
    """
    chosen = 1 if parameters < SINGLE_THREAD_PARAMETERS else THREADS
    torch.set_num_threads(settings().threads or chosen)


def unloadable(spec: ModelSpec, error: BaseException) -> AppError:
    """The sentence for a model that the library could not load."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "out of memory" in str(error).lower():
        return AppError(
            f"There is not enough memory to load {spec.name} in {spec.precision}.",
            hint="Choose int8 or nf4, or a smaller model.",
            code="memory",
        )
    reason = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, KeyError):
        reason = f"{reason} is not known, or missing"
    return AppError(
        f"{spec.name} could not be loaded as a causal language model: {reason[:300]}",
        hint="Expected a model that transformers knows, with its tokenizer, whole and unchanged.",
    )


def quantization(spec: ModelSpec) -> BitsAndBytesConfig:
    """bitsandbytes' settings: nf4 with double quantisation (Dettmers et al. 2023), or LLM.int8()."""
    # It says at every product that activations are rounded to half precision: that is the method.
    logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)
    if spec.quantization == "nf4":
        return BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=DTYPES[spec.dtype],
        )
    return BitsAndBytesConfig(load_in_8bit=True)


def settle(model: Any) -> None:
    """Keeps 4-bit weights in the one layout that gradients can pass.

    On a CPU with bf16 instructions bitsandbytes repacks them at the first pass without gradients, for a
    product that has no backward; every later salience would fail.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
