"""An earlier answer as a draft: the same words and figures as without it, in fewer passes."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from transformers import DynamicCache

from core.records import GenerationParams

PROMPT = "The soup has cheese in it.\nSo a vegan"
PARAMS = GenerationParams(max_new_tokens=12)


class Passes:
    """Counts how often the network is called, and with how many tokens."""

    def __init__(self, model) -> None:
        self.lengths: list[int] = []
        self._handle = model.model.register_forward_pre_hook(self._note, with_kwargs=True)

    def _note(self, _module, _args, named) -> None:
        self.lengths.append(named["input_ids"].shape[1])

    def close(self) -> None:
        self._handle.remove()


def both(model, params: GenerationParams, draft: list[int]):
    prompt = model.tokenize(PROMPT)
    plain = model.generate(prompt, params)
    passes = Passes(model)
    seen: list[str] = []
    made = model.generate(prompt, params, draft=draft, on_text=seen.append)
    passes.close()
    assert made.tokens.ids.tolist() == plain.tokens.ids.tolist()
    assert (made.text, made.stop_reason) == (plain.text, plain.stop_reason)
    np.testing.assert_allclose(made.logprob_nats, plain.logprob_nats, atol=1e-5)
    assert not seen or seen[-1] == made.text
    return plain, passes.lengths


def written(model) -> list[int]:
    made = model.generate(model.tokenize(PROMPT), PARAMS)
    return made.tokens.ids[made.tokens.prompt_len :].tolist()


@pytest.mark.parametrize("family", ["gpt2", "llama", "gemma2", "gemma3_text"])
def test_a_right_draft_costs_one_pass(load_tiny, family):
    model = load_tiny(family)
    right = written(model)
    plain, lengths = both(model, PARAMS, right)
    assert len(plain.logprob_nats) == 12
    assert lengths == [plain.tokens.prompt_len + 11]  # all but the last, which the pass tells by itself


@pytest.mark.parametrize("family", ["gpt2", "llama", "gemma2", "gemma3_text"])
@pytest.mark.parametrize("wrong", [0, 1, 5, 10])
def test_a_draft_helps_as_far_as_it_is_right(load_tiny, family, wrong):
    model = load_tiny(family)
    right = written(model)
    draft = [*right[:wrong], (right[wrong] + 1) % 200, *right[wrong + 1 :]]
    _, lengths = both(model, PARAMS, draft)
    assert len(lengths) == 1 + (12 - (wrong + 1))
    assert lengths[1:] == [1] * (len(lengths) - 1)


def test_a_cache_that_cannot_be_cut_back_is_made_anew(load_tiny, monkeypatch):
    def cannot(self, count):
        raise RuntimeError("`crop` was called, but the current layer does not track past states")

    monkeypatch.setattr(DynamicCache, "crop", cannot)
    model = load_tiny("gemma2")
    right = written(model)
    draft = [*right[:4], (right[4] + 1) % 200, *right[5:]]
    _, lengths = both(model, PARAMS, draft)
    assert lengths[1] == len(model.tokenize(PROMPT)) + 5


def test_a_longer_draft_ends_where_the_answer_ends(load_tiny):
    model = load_tiny("gpt2")
    right = written(model)
    both(model, GenerationParams(max_new_tokens=3), right)
    both(model, GenerationParams(max_new_tokens=1), right)
    text = model.generate(model.tokenize(PROMPT), PARAMS).text
    middle = text[len(text) // 2 :][:3]
    both(model, GenerationParams(max_new_tokens=12, stop=(middle,)), right)
    model.end_ids, kept = frozenset({right[6]}), model.end_ids
    try:
        plain, _ = both(model, PARAMS, right)
        assert plain.stop_reason == "eos"
    finally:
        model.end_ids = kept


def test_where_words_are_drawn_no_draft_is_used(load_tiny):
    model = load_tiny("gpt2")
    both(model, GenerationParams(max_new_tokens=6, temperature=1.0, seed=3), written(model))


def test_stop_works_with_a_draft(load_tiny):
    model = load_tiny("gpt2")
    stop = threading.Event()
    stop.set()
    made = model.generate(model.tokenize(PROMPT), PARAMS, stop=stop, draft=[1, 2, 3])
    assert made.stop_reason == "stopped"
