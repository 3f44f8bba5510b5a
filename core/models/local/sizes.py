"""A model's sizes, from its configuration and the headers of its weights; nothing is read whole.

Knows files and numbers, not tensors and not what a model will need.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from core.errors import AppError
from core.models.local.gguf_header import Header

WRITTEN_OUT_BYTES = 256 * 1024 * 1024
"""What attention that is written out may keep for its backward pass, on a processor."""


def attention_written_out(heads: int, layers: int, tokens: int) -> bool:
    """Whether the attention of `tokens` is small enough to be written out for a backward pass on a processor."""
    return 2 * 4 * tokens * tokens * heads * layers <= WRITTEN_OUT_BYTES


@dataclass(frozen=True, slots=True)
class Facts:
    """The sizes of a model: widths and counts; 0 where they are not known."""

    parameters: int
    embedding_parameters: int = 0
    """Never quantised: the embedding, and the head where it is not the same matrix."""
    width: int = 0
    inner: int = 0
    layers: int = 0
    heads: int = 0
    vocabulary: int = 0
    eager: bool = False
    """Attention keeps its T × T maps (Gemma 2's soft cap has no fused kernel)."""


def facts_from_config(config: Mapping[str, Any], parameters: int = 0) -> Facts:
    """Sizes from a `config.json`, whose names differ by family."""
    config = config.get("text_config") or config

    def number(*names: str) -> int:
        return next((int(config[name]) for name in names if config.get(name)), 0)

    width, layers = number("hidden_size", "n_embd"), number("num_hidden_layers", "n_layer")
    vocabulary = number("vocab_size")
    inner = number("intermediate_size", "n_inner") or 4 * width
    # Families that tie by default leave the entry out (Gemma, GPT-2); Llama and its kin write it down.
    tied = config.get(
        "tie_word_embeddings", config.get("model_type", "") in ("gemma2", "gemma3_text", "gpt2")
    )
    embedding = vocabulary * width * (1 if tied else 2)
    return Facts(
        parameters=parameters or embedding + layers * (4 * width * width + 3 * width * inner),
        embedding_parameters=embedding,
        width=width,
        inner=inner,
        layers=layers,
        heads=number("num_attention_heads", "n_head"),
        vocabulary=vocabulary,
        eager=bool(config.get("attn_logit_softcapping")) or config.get("_attn_implementation") == "eager",
    )


def count_parameters(path: Path) -> tuple[int, int]:
    """Parameters and tensors in a folder's safetensors, from their headers. Raises: AppError for a broken file."""
    total = tensors = 0
    for file in path.glob("*.safetensors"):
        try:
            weights = safe_open(file, framework="np")
        except SafetensorError as error:
            raise AppError(
                f"The weights {file.name} in {path} cannot be read: {error}.",
                hint="The file is broken or was not copied whole: fetch it again.",
            ) from error
        with weights:
            for name in weights.keys():  # noqa: SIM118
                total += math.prod(weights.get_slice(name).get_shape())
                tensors += 1
    return total, tensors


def facts_from_gguf(header: Header) -> Facts:
    """Sizes as a `.gguf` file's header has them."""

    def number(key: str) -> int:
        value = header.of_architecture(key)
        return int(max(value) if isinstance(value, list) and value else value or 0)

    embedding = sum(
        tensor.elements for tensor in header.tensors if tensor.name in ("token_embd.weight", "output.weight")
    )
    return Facts(
        parameters=header.parameters,
        embedding_parameters=embedding,
        width=number("embedding_length"),
        inner=number("feed_forward_length"),
        layers=number("block_count"),
        heads=number("attention.head_count"),
        vocabulary=int(header.metadata.get("tokenizer.ggml.tokens") or 0),
        eager=bool(header.of_architecture("attn_logit_softcapping")),
    )
