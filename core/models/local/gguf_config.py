"""A `.gguf` file's description of its model as transformers' configuration, whole or not at all.

transformers' own reader takes the sizes over and is silent about the rest: a scaled rotary embedding, a soft cap or a
window that the file names would be lost, and the model would write nearly the same, wrongly. What it leaves out is
completed here from the same file; a key or a tensor that neither knows is refused by name.

Sources: llama.cpp's `docs/gguf.md`, `convert_hf_to_gguf.py` and `src/llama-model.cpp`, which the tests compare with.
"""

from __future__ import annotations

import math
import re
from inspect import getsource
from typing import Any

from core.errors import AppError
from core.models.local.gguf_header import Header

COMPARED = ("llama", "qwen2", "qwen3", "gemma2", "gemma3", "phi3", "gpt2")
"""The tests read a file of each here and with llama.cpp, and expect the same numbers."""
OTHERS = (
    "starcoder2", "stablelm", "falcon", "bloom", "nemotron", "mamba", "qwen2moe", "qwen3moe", "gpt-oss", "lfm2",
    "gemma4", "minimax-m2", "deci", "qwen35", "qwen35moe", "mistral",
)  # fmt: skip
"""Known to transformers' reader; a file of theirs that sets anything it does not read is refused."""

READ_HERE = {
    "rope.scaling.type", "rope.scaling.factor", "rope.scaling.original_context_length", "rope.scaling.finetuned",
    "rope.scaling.attn_factor", "rope.scaling.yarn_ext_factor", "rope.scaling.yarn_beta_fast",
    "rope.scaling.yarn_beta_slow", "rope.scaling.yarn_attn_factor", "rope.dimension_count", "rope.freq_base",
    "rope.freq_base_swa", "attention.key_length", "attention.value_length", "attention.sliding_window",
    "attn_logit_softcapping", "final_logit_softcapping", "context_length", "vocab_size", "attention.causal",
    "attention.sliding_window_pattern", "expert_count", "expert_used_count",
}  # fmt: skip
PREFIXES = ("general.", "tokenizer.", "split.", "quantize.", "GGUF.")
ROPE_TENSORS = ("rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight")
ALIASES = {"qwen2moe": "qwen2_moe", "qwen3moe": "qwen3_moe", "gpt-oss": "gpt_oss", "minimax-m2": "minimax_m2"}


def check(header: Header) -> None:
    """Raises: AppError for an architecture, a key or a kind of file that cannot be read rightly."""
    name, parts = header.path.name, header.metadata.get("split.count", 1)
    if isinstance(parts, int) and parts > 1:  # the later parts name no architecture
        number = header.metadata.get("split.no", 0) + 1
        raise AppError(
            f"{name} is part {number} of {parts} of a model.",
            hint="Join the parts with llama.cpp's llama-gguf-split --merge, and open the one file.",
        )
    if header.architecture not in COMPARED + OTHERS:
        raise AppError(
            f"{name} holds a model of the architecture {header.architecture or '(none named)'!r}, which cannot be "
            "read here.",
            hint=f"Known: {', '.join(COMPARED + OTHERS)}.",
        )
    if header.metadata.get("general.type", "model") != "model":
        raise AppError(f"{name} is of the kind {header.metadata['general.type']!r}, not a whole model.")
    known = _read_by_transformers(header.architecture) | READ_HERE
    strange = [
        key
        for key in header.metadata
        if not key.startswith(PREFIXES) and key.removeprefix(f"{header.architecture}.") not in known
    ]
    if strange:
        raise AppError(
            f"{name} sets {', '.join(sorted(strange)[:4])}, which the reader does not know: the model would be "
            "another one than in llama.cpp.",
            hint="Choose the same model as a folder with safetensors.",
        )


def _read_by_transformers(architecture: str) -> set[str]:
    from transformers.integrations.gguf import GGUF_CONFIG_ARCHS
    from transformers.modeling_gguf_pytorch_utils import GGUF_TO_TRANSFORMERS_MAPPING

    if (
        architecture in GGUF_CONFIG_ARCHS
    ):  # its reader builds the whole configuration, and fails on what is missing
        return set(re.findall(r'"((?:\w+\.)*\w+)"', getsource(GGUF_CONFIG_ARCHS[architecture])))
    mapping: Any = GGUF_TO_TRANSFORMERS_MAPPING["config"]
    return set(mapping.get(ALIASES.get(architecture, architecture), {}))


def complete(config: Any, header: Header) -> None:
    """Sets in transformers' `config` what its reader left out.

    Raises: AppError where the file asks for something that transformers' model cannot do.
    """
    of = header.of_architecture
    architecture = header.architecture
    if architecture == "gpt2":
        config.n_positions = int(of("context_length"))
        config.n_inner = int(of("feed_forward_length"))
    if of("attention.key_length") and hasattr(config, "head_dim") and architecture != "gemma4":
        config.head_dim = int(of("attention.key_length"))
    heads = int(getattr(config, "num_attention_heads", 0) or 0)
    width = int(getattr(config, "hidden_size", 0) or 0)
    head_width = int(getattr(config, "head_dim", 0) or (width // heads if heads else 0))
    if of("attention.value_length") not in (None, of("attention.key_length")) and architecture != "gemma4":
        raise _cannot(header, "attention.value_length other than attention.key_length")
    if of("attention.causal") is False:
        raise _cannot(header, "attention that is not causal")
    for key in ("attn_logit_softcapping", "final_logit_softcapping"):
        if of(key) is not None:
            if not hasattr(config, key):
                raise _cannot(header, key)
            setattr(config, key, float(of(key)) or None)
    _windows(config, header)
    if architecture in ("gemma2", "gemma3"):
        # llama.cpp scales the two largest by the width of a share of the embedding, all others by the head's.
        largest = {"gemma2": 46, "gemma3": 62}[architecture]
        config.query_pre_attn_scalar = width // heads if config.num_hidden_layers == largest else head_width
    _rotation(config, header, head_width)
    _tied(config, header)


def _windows(config: Any, header: Header) -> None:
    window = header.of_architecture("attention.sliding_window")
    pattern = header.of_architecture("attention.sliding_window_pattern")
    if window is None:
        return
    if isinstance(window, list) or not hasattr(config, "sliding_window"):
        raise _cannot(header, "attention.sliding_window")
    config.sliding_window = int(window) or None
    if pattern is not None and header.architecture in ("gemma2", "gemma3"):
        every = [bool(one) for one in pattern] if isinstance(pattern, list) else None
        layers = config.num_hidden_layers
        if every is None:
            every = [(layer + 1) % int(pattern) != 0 for layer in range(layers)]
        config.layer_types = ["sliding_attention" if local else "full_attention" for local in every]


def _rotation(config: Any, header: Header, head_width: int) -> None:
    """The rotary embedding: its base, the part of a head that turns, and how it was stretched."""
    of = header.of_architecture
    rope = getattr(config, "rope_parameters", None)
    if not isinstance(rope, dict):
        return
    inner: dict[str, Any] = rope["full_attention"] if isinstance(rope.get("full_attention"), dict) else rope
    if of("rope.freq_base") is not None:
        inner["rope_theta"] = float(of("rope.freq_base"))
    elif header.architecture == "gemma2":
        inner["rope_theta"] = 10_000.0
    if of("rope.freq_base_swa") is not None:
        if "sliding_attention" not in rope:
            raise _cannot(header, "rope.freq_base_swa")
        rope["sliding_attention"]["rope_theta"] = float(of("rope.freq_base_swa"))
    turned = of("rope.dimension_count")
    if turned is not None and head_width and int(turned) != head_width:
        if header.architecture not in ("phi3", "stablelm", "nemotron"):
            raise _cannot(header, f"rope.dimension_count {turned} in heads of {head_width}")
        inner["partial_rotary_factor"] = int(turned) / head_width
    inner.update(_stretched(header, config, int(turned or head_width)))
    config.rope_parameters = rope


def _stretched(header: Header, config: Any, width: int) -> dict[str, Any]:
    """How the rotary embedding was stretched to a longer context, in transformers' words; empty: not at all."""
    of = header.of_architecture
    original = of("rope.scaling.original_context_length")
    tensors = {tensor.name for tensor in header.tensors}
    if "rope_factors_long.weight" in tensors:
        factors = {name: _small_tensor(header, f"rope_factors_{name}.weight") for name in ("long", "short")}
        longest = int(of("context_length"))
        original = int(original or longest)
        stretch = {"rope_type": "longrope", "original_max_position_embeddings": original}
        stretch |= {f"{name}_factor": list(map(float, values)) for name, values in factors.items()}
        ratio = longest / original
        given = of("rope.scaling.attn_factor")
        usual = math.sqrt(1 + math.log(ratio) / math.log(original)) if ratio > 1 else 1.0
        return stretch | {"attention_factor": float(given) if given is not None else usual, "factor": ratio}
    if "rope_freqs.weight" in tensors:
        return _llama3(header, width, int(original or 8192))
    kind, factor = of("rope.scaling.type"), of("rope.scaling.factor")
    if kind in (None, "none") or factor in (None, 0.0):
        return {}
    if kind == "linear":
        return {"rope_type": "linear", "factor": float(factor)}
    if kind == "yarn":
        stretch = {
            "rope_type": "yarn",
            "factor": float(factor),
            "original_max_position_embeddings": int(original or of("context_length")),
            "beta_fast": float(of("rope.scaling.yarn_beta_fast") or 32.0),
            "beta_slow": float(of("rope.scaling.yarn_beta_slow") or 1.0),
        }
        given = of("rope.scaling.yarn_attn_factor")
        if of("rope.scaling.yarn_ext_factor") not in (None, 1.0) or of("rope.scaling.attn_factor") not in (
            None,
            1.0,
        ):
            raise _cannot(header, "rope.scaling.yarn_ext_factor or attn_factor other than 1")
        scale = float(given) if given is not None else 1.0
        return stretch | {"attention_factor": scale * (1.0 + 0.1 * math.log(float(factor)))}
    raise _cannot(header, f"rope.scaling.type {kind!r}")


def _llama3(header: Header, width: int, original: int) -> dict[str, Any]:
    """Llama 3.1's stretch, which the file holds as one factor for each frequency.

    Raises: AppError when the factors are no stretch of that kind.
    """
    factors = [float(one) for one in _small_tensor(header, "rope_freqs.weight")]
    base = float(header.of_architecture("rope.freq_base") or 10_000.0)
    factor = max(factors)
    expected = []
    for index in range(width // 2):
        length = 2 * math.pi * base ** (2 * index / width)
        smooth = min(max((original / length - 1.0) / (4.0 - 1.0), 0.0), 1.0)
        expected.append(1.0 / ((1 - smooth) / factor + smooth))
    if len(factors) != len(expected) or any(
        abs(have - want) > 1e-3 * want for have, want in zip(factors, expected, strict=True)
    ):
        raise _cannot(header, "frequencies (rope_freqs) that are none of Llama 3.1's kind")
    if factor == 1.0:
        return {}
    return {
        "rope_type": "llama3", "factor": factor, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": original,
    }  # fmt: skip


def _small_tensor(header: Header, name: str) -> Any:
    from gguf import GGUFReader, dequantize

    for tensor in GGUFReader(str(header.path)).tensors:
        if tensor.name == name:
            return dequantize(tensor.data, tensor.tensor_type)
    raise _cannot(header, f"no {name}")


def _tied(config: Any, header: Header) -> None:
    """A file without an output matrix uses the embedding's."""
    config.tie_word_embeddings = all(tensor.name != "output.weight" for tensor in header.tensors)


def _cannot(header: Header, what: str) -> AppError:
    return AppError(
        f"{header.path.name} asks for {what}, which transformers' {header.architecture} model cannot do.",
        hint="Choose the same model as a folder with safetensors.",
    )
