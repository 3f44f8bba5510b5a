"""What every line of the salience benchmark shares: the model, the ids, and how time and memory are taken.

A Llama of 40 million random parameters, 300 prompt and 60 response tokens, one thread. Imports torch and
transformers only, so it runs in the product's environment and in the peers'.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

PROMPT, RESPONSE, VOCABULARY = 300, 60, 32_000


def model() -> Any:
    """8 layers of width 512, tied embeddings: 41.7 million parameters."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=512,
        intermediate_size=1376,
        num_hidden_layers=8,
        num_attention_heads=8,
        tie_word_embeddings=True,
    )
    return LlamaForCausalLM(config).eval()


def ids() -> list[int]:
    """360 token ids, always the same."""
    return torch.randint(
        3, VOCABULARY, (PROMPT + RESPONSE,), generator=torch.Generator().manual_seed(1)
    ).tolist()


def tokenizer() -> Any:
    """One word an id ("w17"), for peers that insist on text."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {"<unk>": 0, "<s>": 1, "</s>": 2} | {f"w{i}": i for i in range(3, VOCABULARY)}
    inner = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="</s>"
    )


def text(part: list[int]) -> str:
    return " ".join(f"w{i}" for i in part)


def measure(
    name: str, work: Callable[[], Any], repeats: int = 1, warm: Callable[[], Any] | None = None
) -> Any:
    """Prints one JSON line: CPU seconds (best of `repeats`) and peak memory above the start, in MB."""
    if warm is not None:
        warm()
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts here
    before = _kilobytes("VmRSS")
    seconds = []
    out = None
    for _ in range(repeats):
        start = time.process_time()
        out = work()
        seconds.append(time.process_time() - start)
    peak = (_kilobytes("VmHWM") - before) / 1024
    line = {"name": name, "cpu_seconds": min(seconds), "extra_peak_mb": peak}
    sys.stdout.write(json.dumps(line) + "\n")
    return out


def _kilobytes(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise RuntimeError(f"/proc/self/status has no {field}")
