"""What is computed once must not change what is told: the plain pass is the oracle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.models.local.shared_beginning import SharedBeginning
from core.salience.taking_out import without

PROMPT = "The soup has cheese in it, so a vegan would not like the soup. Analyze a menu item.\nSo a vegan"


@pytest.mark.parametrize("family", ["gemma2", "gemma3_text", "llama", "mistral", "qwen3", "gpt2", "gpt_neox"])
def test_texts_that_begin_alike_are_told_as_by_a_pass_of_their_own(
    load_tiny: Callable[..., Any], family: str
) -> None:
    model = load_tiny(family)
    tokens = model.tokenize(PROMPT, " would not")
    assert tokens.prompt_len > 30  # beyond the sliding windows of the tiny Gemmas
    shared = SharedBeginning(model.model, tokens.ids)
    last = tokens.prompt_len
    for start, end in ((0, 1), (1, 3), (5, 6), (20, 25), (last - 3, last), (1, last)):
        rest = without(tokens, start, end)
        told = shared.logprobs(rest.ids, rest.prompt_len)
        np.testing.assert_allclose(told, model.logprobs(rest), atol=2e-5)
    np.testing.assert_allclose(
        shared.logprobs(tokens.ids, tokens.prompt_len), model.logprobs(tokens), atol=2e-5
    )


def test_only_what_differs_is_read(load_tiny: Callable[..., Any]) -> None:
    model = load_tiny("llama")
    tokens = model.tokenize(PROMPT, " would not")
    shared = SharedBeginning(model.model, tokens.ids)
    read: list[int] = []
    hook = model.model.register_forward_pre_hook(
        lambda module, args, given: read.append(given["input_ids"].shape[1]), with_kwargs=True
    )
    rest = without(tokens, 20, 25)
    shared.logprobs(rest.ids, rest.prompt_len)
    hook.remove()
    assert read == [len(rest) - 1 - 20]


def test_longer_shorter_and_other_texts(load_tiny: Callable[..., Any]) -> None:
    model = load_tiny("llama")
    shared = SharedBeginning(model.model, model.tokenize(PROMPT, " would not").ids)
    for prompt, response in ((PROMPT, " would not like it at all"), (PROMPT[:20], " x"), ("Other", " words")):
        tokens = model.tokenize(prompt, response)
        told = shared.logprobs(tokens.ids, tokens.prompt_len)
        np.testing.assert_allclose(told, model.logprobs(tokens), atol=2e-5)
    assert shared.logprobs(np.array([1, 2, 3]), 3).shape == (0,)
