"""The two real models of the package registry, from the same file as llama.cpp reads: same ids, same answers."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from core.models import load
from core.models.local import address
from core.models.local.real_models import real_model
from core.records import GenerationParams, Message, ModelSpec
from tests.unit.models.local.gguf_files import asked_of_llama_cpp

TEXTS = [
    "Hello 1984 world",
    "In 2024, 3.14159 and 1,000,000; $12.50!",
    "  leading and   inner   spaces\t\ttabs \n\n\nlines\n \n",
    "café naïve Ünïcödé e\u0301",
    "한국어로 번역해 주세요.",
    "שלום עולם, מה שלומך?",
    "मैं हिन्दी बोलता हूँ",
    "🙂👍🏽👨‍👩‍👧‍👦 🇰🇷",
    "def f(x):\n    return x**2  # comment\n",
    "it's we're I'LL don't 'tis",
    "中文测试，没有空格。日本語",
    "\r\nwindows\r\n",
    "...!!!---___",
    "a\u200bb\u202ec\u00ad",
    "A\u00a0B\u3000C ½ ² №",
    " ",
    "\n",
    "<unused0> <mask> [multimodal]",
    "<|im_start|>user\nhi<|im_end|>\n",
    "<start_of_turn>user\nhi<end_of_turn>\n",
]
POOL = "abc ABC 012 .,!\n\t éñ한국ש🙂’“”-_/\\'"
PROMPT = """Help a guest choose from the menu.

Cannot eat: onions
Dish: Onion soup with cheese
Analysis: The soup is made with onions. The guest cannot eat onions.
Recommendation: You have to try it.

Cannot eat: eggs
Dish: Omelette with garlic
Analysis:"""
COUNT = 12


@pytest.fixture(scope="module", params=["smollm2", "gemma3"])
def pair(request: pytest.FixtureRequest, real_files: Any) -> tuple[str, Any, dict[str, Any], list[str]]:
    """Name, the model as Whence opens it, what llama.cpp says of the same file, and the texts asked about."""
    file, folder = real_files(request.param)
    rng = random.Random(0)
    texts = TEXTS + ["".join(rng.choice(POOL) for _ in range(rng.randint(1, 60))) for _ in range(200)]
    (told,) = asked_of_llama_cpp([{"file": str(file), "texts": texts, "text": PROMPT, "count": COUNT}])
    return request.param, load(ModelSpec(request.param, str(folder))), told, texts


def test_text_becomes_the_ids_that_llama_cpp_makes_of_it(pair):
    _, model, told, texts = pair
    for text, ids in zip(texts, told["tokens"], strict=True):
        assert model.tokenizer(text)["input_ids"] == ids, text
        if text.strip():
            assert model.tokenize(text).ids.tolist() == ids, text


def test_it_writes_what_llama_cpp_writes(pair):
    _, model, told, _ = pair
    answer = model.generate(model.tokenize(PROMPT), GenerationParams(max_new_tokens=COUNT))
    assert answer.tokens.ids[answer.tokens.prompt_len :].tolist() == told["greedy"]["ids"]
    # llama.cpp rounds what goes into each product to eight bits.
    np.testing.assert_allclose(answer.logprob_nats, told["greedy"]["nats"], atol=0.25)


def test_it_is_what_it_is_called(pair):
    name, model, _, _ = pair
    known = real_model(name)
    assert model.parameters == known.parameters
    assert model.notes[0].startswith(f"{'Q4_1' if name == 'smollm2' else 'Q4_K_M'} weights of a .gguf file")
    assert model.capabilities.chat is (name == "smollm2")


def test_a_chat_is_sent_in_the_template_of_the_file(pair):
    name, model, _, _ = pair
    if name != "smollm2":
        pytest.skip("a base model: its file has no template")
    turns = [Message("system", "Be brief."), Message("user", "Why is the sky blue?")]
    expected = model.tokenizer.apply_chat_template(
        [{"role": turn.role, "content": turn.content} for turn in turns],
        add_generation_prompt=True,
        return_dict=False,
    )
    assert model.tokenize(turns).ids.tolist() == expected


def test_its_pinned_address_is_that_of_its_file(pair, real_files):
    name, *_ = pair
    file, _ = real_files(name)
    assert address.of_gguf(file) == real_model(name).revision
