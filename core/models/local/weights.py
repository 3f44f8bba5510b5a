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

from core.errors import AppError
from core.models.loading import Steps
from core.records import ModelSpec
from core.settings import settings

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


def read(path: Path, spec: ModelSpec, steps: Steps) -> tuple[Any, Any]:
    """The causal model and its tokenizer. Raises: AppError when they cannot be loaded; Stopped."""
    common: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    extra: dict[str, Any] = {}
    if spec.quantization != "none":
        extra["quantization_config"] = quantization(spec)
    if spec.device == "auto" or spec.quantization != "none":
        extra["device_map"] = spec.device
    try:
        steps(0.0, "Reading the tokenizer")
        tokenizer = AutoTokenizer.from_pretrained(path, **common)
        with steps.watching(0.1, 1.0, "Reading the weights"):
            model: Any = AutoModelForCausalLM.from_pretrained(
                path, dtype=DTYPES[spec.dtype], use_safetensors=True, **extra, **common
            )
        if "device_map" not in extra and spec.device != "cpu":
            model.to(spec.device)
    except AppError:
        raise
    except (OSError, ValueError, KeyError, RuntimeError, MemoryError) as error:
        raise unloadable(spec, error) from error
    if spec.quantization != "none":
        settle(model)
    if spec.device == "cpu":
        use_threads(int(model.num_parameters()))
    return model, tokenizer


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
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
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
