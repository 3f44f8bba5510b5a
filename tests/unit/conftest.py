"""Tiny models with random weights, made on the spot: a byte-level tokenizer and a folder a family."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<start_of_turn>"
    "{{ 'model' if m.role == 'assistant' else m.role }}\n"
    "{{ m.content | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
CORPUS = [
    "The soup has cheese in it, so a vegan would not like the soup.",
    "Analyze a menu item in a restaurant.",
]
TINY: dict[str, Any] = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 256, "initializer_range": 0.3,
}  # fmt: skip


def make_tokenizer(template: bool = True) -> Any:
    """A byte-level BPE tokenizer of about 300 tokens with a beginning-of-text token."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    special = ["<pad>", "<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"]
    inner.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(
            vocab_size=300, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )  # fmt: skip
    inner.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 1)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>",
        additional_special_tokens=["<start_of_turn>", "<end_of_turn>"],
    )  # fmt: skip
    if template:
        tokenizer.chat_template = TEMPLATE
    return tokenizer


def make_config(family: str, vocab_size: int, **changes: Any) -> Any:
    """A two-layer configuration of `family`."""
    import transformers

    names = {
        "gpt2": "GPT2Config", "gpt_neox": "GPTNeoXConfig", "gemma2": "Gemma2Config", "llama": "LlamaConfig",
        "gemma3_text": "Gemma3TextConfig", "mistral": "MistralConfig", "qwen2": "Qwen2Config",
        "qwen3": "Qwen3Config",
    }  # fmt: skip
    absent: dict[str, set[str]] = {"gpt_neox": {"num_key_value_heads", "head_dim"}, "qwen2": {"head_dim"}}
    sizes = {key: value for key, value in TINY.items() if key not in absent.get(family, ())}
    if family == "gpt2":
        sizes = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256, "initializer_range": 0.3}
    if family.startswith("gemma"):
        sizes |= {"sliding_window": 16, "query_pre_attn_scalar": 8}
    if family == "mistral":
        sizes["sliding_window"] = None
    ids = {"vocab_size": vocab_size, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    return getattr(transformers, names[family])(**{**sizes, **ids, **changes})


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`model_folder(family, **config)`: a tiny model with random weights, saved once a session."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(1)
    made: dict[tuple[Any, ...], Path] = {}

    def make(family: str, **changes: Any) -> Path:
        key = (family, *sorted(changes.items()))
        if key not in made:
            folder = tmp_path_factory.mktemp(family)
            tokenizer = make_tokenizer()
            state = torch.random.get_rng_state()
            torch.manual_seed(0)
            model = AutoModelForCausalLM.from_config(make_config(family, len(tokenizer), **changes))
            torch.random.set_rng_state(state)
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
            made[key] = folder
        return made[key]

    return make


@pytest.fixture(scope="session")
def load_tiny(model_folder: Callable[..., Path]) -> Callable[..., Any]:
    """`load_tiny(family, **spec)`: a tiny model, loaded as the product loads it."""
    from core.models import load
    from core.records import ModelSpec

    loaded: dict[tuple[Any, ...], Any] = {}

    def make(family: str = "gemma2", **spec: Any) -> Any:
        key = (family, *sorted(spec.items()))
        if key not in loaded:
            loaded[key] = load(ModelSpec(name=family, path=str(model_folder(family)), **spec))
        return loaded[key]

    return make
