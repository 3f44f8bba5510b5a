"""Tiny `.gguf` files with random weights, written in llama.cpp's own names; and what llama.cpp makes of them."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gguf
import numpy as np

WIDTH, HEADS, INNER = 32, 4, 64
Writer = gguf.GGUFWriter
More = Callable[[Writer], None]


def write(
    path: Path, architecture: str, tokenizer: Any, *, layers: int = 2, pairs: int = 2, head: int = 8,
    context: int = 256, window: int = 0, split: str = "llama-bpe", keys: More | None = None,
    tensors: More | None = None,
    without: Sequence[str] = (), damage: Callable[[str, np.ndarray], np.ndarray] = lambda _, array: array,
) -> Path:  # fmt: skip
    """A model of `architecture` with `pairs` key-value heads of width `head`; `keys` and `tensors` add to it."""
    rng = np.random.default_rng(0)
    held = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    words = [word for word, _ in sorted(held["vocab"].items(), key=lambda entry: entry[1])]
    writer = Writer(str(path), architecture)
    writer.add_context_length(context)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    if architecture == "gpt2":
        writer.add_layer_norm_eps(1e-5)
    else:
        writer.add_head_count_kv(pairs)
        writer.add_layer_norm_rms_eps(1e-6)
        writer.add_rope_freq_base(10_000.0)
    if architecture in ("gemma2", "gemma3", "qwen3"):
        writer.add_key_length(head)
        writer.add_value_length(head)
    if architecture in ("llama", "phi3"):
        writer.add_rope_dimension_count(head)
    if window:
        writer.add_sliding_window(window)
    if architecture == "gemma2":
        writer.add_attn_logit_softcapping(50.0)
        writer.add_final_logit_softcapping(30.0)
    if keys is not None:
        keys(writer)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(split)
    writer.add_token_list(words)
    writer.add_token_types([3 if len(w) > 2 and w[0] == "<" and w[-1] == ">" else 1 for w in words])
    writer.add_token_merges([" ".join(merge) for merge in held["merges"]])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(0)
    writer.add_add_bos_token(True)
    for name, shape in shapes(architecture, len(words), layers, pairs, head, context):
        array = rng.normal(size=shape).astype(np.float32)
        if "norm.weight" in name:
            array = 1 + 0.1 * array
        elif name != "token_embd.weight":
            array *= 0.3
        if name not in without:
            writer.add_tensor(name, damage(name, array))
    if tensors is not None:
        tensors(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def shapes(
    architecture: str, vocabulary: int, layers: int, pairs: int, head: int, context: int
) -> list[tuple[str, tuple[int, ...]]]:
    """The tensors of a model, as llama.cpp names them."""
    wide, keys = HEADS * head, pairs * head
    every: list[tuple[str, tuple[int, ...]]] = [
        ("token_embd.weight", (vocabulary, WIDTH)), ("output_norm.weight", (WIDTH,)),
    ]  # fmt: skip
    if architecture == "gpt2":
        every += [("output_norm.bias", (WIDTH,)), ("position_embd.weight", (context, WIDTH))]
    if architecture in ("llama", "qwen2", "qwen3", "phi3"):
        every.append(("output.weight", (vocabulary, WIDTH)))
    for layer in range(layers):
        inside: list[tuple[str, tuple[int, ...]]] = [
            ("attn_norm.weight", (WIDTH,)), ("ffn_norm.weight", (WIDTH,)),
            ("attn_output.weight", (WIDTH, wide)), ("ffn_down.weight", (WIDTH, INNER)),
        ]  # fmt: skip
        if architecture == "gpt2":
            inside += [("attn_qkv.weight", (3 * WIDTH, WIDTH)), ("ffn_up.weight", (INNER, WIDTH))]
            inside += [
                (f"{name}.bias", (WIDTH,)) for name in ("attn_norm", "ffn_norm", "attn_output", "ffn_down")
            ]
            inside += [("attn_qkv.bias", (3 * WIDTH,)), ("ffn_up.bias", (INNER,))]
        elif architecture == "phi3":
            inside += [("attn_qkv.weight", (wide + 2 * keys, WIDTH)), ("ffn_up.weight", (2 * INNER, WIDTH))]
        else:
            inside += [("attn_q.weight", (wide, WIDTH)), ("attn_k.weight", (keys, WIDTH))]
            inside += [("attn_v.weight", (keys, WIDTH))]
            inside += [("ffn_gate.weight", (INNER, WIDTH)), ("ffn_up.weight", (INNER, WIDTH))]
        if architecture == "qwen2":
            inside += [("attn_q.bias", (wide,)), ("attn_k.bias", (keys,)), ("attn_v.bias", (keys,))]
        if architecture in ("qwen3", "gemma3"):
            inside += [("attn_q_norm.weight", (head,)), ("attn_k_norm.weight", (head,))]
        if architecture in ("gemma2", "gemma3"):
            inside += [("post_attention_norm.weight", (WIDTH,)), ("post_ffw_norm.weight", (WIDTH,))]
        every += [(f"blk.{layer}.{name}", shape) for name, shape in inside]
    return every


def stretched(kind: gguf.RopeScalingType, factor: float, original: int = 0) -> More:
    def add(writer: Writer) -> None:
        writer.add_rope_scaling_type(kind)
        writer.add_rope_scaling_factor(factor)
        if original:
            writer.add_rope_scaling_orig_ctx_len(original)

    return add


def llama3_factors(original: int, factor: float, width: int = 8, base: float = 10_000.0) -> np.ndarray:
    """As llama.cpp's converter writes them for Llama 3.1 (`rope_freqs.weight`)."""
    made = []
    for index in range(width // 2):
        length = 2 * math.pi * base ** (2 * index / width)
        smooth = min(max((original / length - 1) / 3, 0), 1)
        made.append(1 / ((1 - smooth) / factor + smooth))
    return np.array(made, np.float32)


def asked_of_llama_cpp(questions: Sequence[dict[str, Any]]) -> list[dict[int, float]]:
    """llama.cpp's log-probabilities of the ten likeliest next ids, for each `{file, prompts}`.

    The first of `prompts` (lists of ids) that it continues counts. In a process of its own, in float32.
    """
    script = Path(__file__).with_name("llama_cpp_answers.py")
    run = subprocess.run(
        [sys.executable, str(script)],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        timeout=300,
    )
    lines = [line for line in run.stdout.splitlines() if line.startswith("ANSWERS ")]
    assert lines, run.stderr[-2000:]
    return json.loads(lines[0].removeprefix("ANSWERS "))
