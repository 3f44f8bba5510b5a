"""A model's `config.json`, read and checked before a library builds anything from it. Knows no tensors.

Sizes decide how much memory a library asks for, and some values name code to be fetched: both are looked at here.
What else is wrong is the library's to say; `weights.py` turns that into a sentence.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core.errors import AppError

SIZES = (
    "hidden_size", "n_embd", "num_hidden_layers", "n_layer", "num_attention_heads", "n_head", "vocab_size",
    "num_key_value_heads", "intermediate_size", "n_inner", "head_dim", "max_position_embeddings", "n_positions",
)  # fmt: skip
ATTENTIONS = ("eager", "sdpa", "flex_attention", "flash_attention_2", "flash_attention_3")
READABLE_QUANTISATIONS = ("bitsandbytes",)


def read(path: Path) -> dict[str, Any]:
    """The `config.json` in the folder `path`.

    Raises: AppError when it is no JSON object, a size in it is no whole number of 1 or more, it names code on the
    hub as its attention, or weights saved quantised in a form that cannot be explained here.
    """
    try:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise AppError(f"The config.json in {path} is no JSON: {error}.") from error
    except OSError as error:
        raise AppError(f"The config.json in {path} cannot be read: {error.strerror}.") from error
    if not isinstance(config, dict):
        raise AppError(
            f"The config.json in {path} holds a {type(config).__name__}; expected an object with the model's sizes."
        )
    inner = config.get("text_config")
    if inner is not None and not isinstance(inner, dict):
        raise AppError(f"The config.json in {path} has `text_config` {inner!r}; expected an object.")
    for part in (config, inner or {}):
        for name in SIZES:
            value = part.get(name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise AppError(
                    f"The config.json in {path} has `{name}` {value!r}; expected a whole number of 1 or more."
                )
        _check_code(part, path)
    return config


def check_layers(config: dict[str, Any], tensors: int, path: Path) -> None:
    """Raises: AppError when the configuration has more layers than there are weights (`tensors`) at all."""
    sizes = config.get("text_config") or config
    layers = sizes.get("num_hidden_layers") or sizes.get("n_layer") or 0
    if layers > tensors:
        raise AppError(
            f"The config.json in {path} asks for {layers:,} layers, but its files hold {tensors:,} weights in all.",
            hint="Configuration and weights are not of one model.",
        )


def _check_code(config: dict[str, Any], path: Path) -> None:
    for name in ("_attn_implementation", "attn_implementation", "_attn_implementation_internal"):
        value = config.get(name)
        for asked in value.values() if isinstance(value, dict) else [value]:
            if asked is not None and asked not in ATTENTIONS:
                raise AppError(
                    f"The config.json in {path} asks for the attention {asked!r}, which would be code fetched from "
                    "the hub; Whence never runs such code.",
                    hint=f"Take `{name}` out of the file. Known: {', '.join(ATTENTIONS)}.",
                )
    quantised = config.get("quantization_config")
    if quantised is None:
        return
    method = quantised.get("quant_method") if isinstance(quantised, dict) else quantised
    if method not in READABLE_QUANTISATIONS:
        raise AppError(
            f"The weights in {path} were saved quantised ({method!r}), which cannot be explained here.",
            hint="Choose the same model with whole weights, and int8 or nf4 when loading it.",
        )
