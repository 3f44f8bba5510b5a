"""HotFlip on a tiny model: estimates against finite differences, swaps against forward passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.counterfactuals import Context, generator, make
from core.counterfactuals.hotflip import estimates, measured, places
from core.errors import AppError, Stopped
from core.records import Example

PROMPT = "Analyze the soup in a restaurant. The item has cheese,\nso the vegan would not like it."
ANSWER = " not like"


@pytest.fixture(scope="module")
def model(load_tiny: Callable[..., Any]) -> Any:
    return load_tiny("gpt2", dtype="float64")


def total(model: Any, prompt: str, answer: str = ANSWER) -> float:
    return float(model.logprobs(model.tokenize(prompt, answer)).sum())


def test_places_are_whole_words(model: Any) -> None:
    tokens = model.tokenize(PROMPT, ANSWER)
    found = [tokens.text[slice(*tokens.char_spans[i])] for i in places(tokens)]
    assert found
    for word in found:
        assert f"{word} " in PROMPT or f"{word}." in PROMPT or f"{word}," in PROMPT
        assert word.strip().isalpha()


def test_the_vocabulary_shows_what_each_id_writes(model: Any) -> None:
    words = model.vocabulary()
    tokens = model.tokenize(PROMPT)
    assert len(words) == len(model.tokenizer)
    assert words[0] == "" and words[1] == ""
    for i in range(1, len(tokens)):
        assert words[tokens.ids[i]] == tokens.strings[i]


def test_estimates_are_the_slope_towards_the_new_embedding(model: Any) -> None:
    tokens = model.tokenize(PROMPT, ANSWER)
    swaps = estimates(model, tokens, places(tokens), (tokens.prompt_len, len(tokens)))
    assert swaps
    positions = np.arange(tokens.prompt_len, len(tokens))
    step = 1e-5
    for swap in swaps[:3] + swaps[-3:]:
        new = model.embed(np.array([swap.token]))[0]

        def moved(e: Any, sign: float, swap: Any = swap, new: Any = new) -> Any:
            e = e.clone()
            e[0, swap.position] += sign * step * (new - e[0, swap.position])
            return e

        sums = []
        for sign in (1.0, -1.0):
            with model.tape(tokens.ids, positions, embed=lambda e, sign=sign: moved(e, sign)) as tape:
                sums.append(float(tape.logprob_nats.astype(np.float64).sum()))
        # log-probabilities come back as float32, so the slope is known to about 1e-7 / 1e-5
        assert (sums[0] - sums[1]) / (2 * step) == pytest.approx(swap.estimate_nats, rel=0.05, abs=0.1)


@pytest.mark.parametrize("direction", ["less", "more"])
def test_swaps_are_measured_sorted_and_of_one_word(model: Any, direction: str) -> None:
    rows = [Example("a", PROMPT, "other")]
    made = make(
        generator("hotflip"),
        rows,
        {"direction": direction, "tries": 60},
        limit=10,
        contexts=Context(model=model, response=ANSWER),
    )
    assert made.examples
    before = total(model, PROMPT)
    changes = [total(model, e.prompt) - before for e in made.examples]
    sign = -1 if direction == "less" else 1
    assert all(sign * change > 0 for change in changes)
    assert [abs(c) for c in changes] == sorted((abs(c) for c in changes), reverse=True)
    old_words = PROMPT.replace(".", " ").replace(",", " ").split()
    for example, change in zip(made.examples, changes):
        new_words = example.prompt.replace(".", " ").replace(",", " ").split()
        assert sum(a != b for a, b in zip(old_words, new_words, strict=True)) == 1
        assert f"answer {change:+.2f} nats" in example.edit
    again = make(
        generator("hotflip"), rows, {"direction": direction, "tries": 60}, limit=10,
        contexts=Context(model=model, response=ANSWER),
    )  # fmt: skip
    assert again == made


def test_a_swap_that_tokenises_otherwise_is_left_out(model: Any) -> None:
    tokens = model.tokenize(PROMPT, ANSWER)
    swap = estimates(model, tokens, places(tokens)[:1], (tokens.prompt_len, len(tokens)))[0]
    broken = type(swap)(swap.position, swap.old, swap.new + "zq", swap.token, 0.0)
    assert measured(model, Example("a", PROMPT), ANSWER, tokens, broken) is None
    assert measured(model, Example("a", PROMPT), ANSWER, tokens, swap) is not None


def test_what_is_missing_is_told(model: Any) -> None:
    member, rows = generator("hotflip"), [Example("a", PROMPT)]
    with pytest.raises(AppError, match="needs a loaded model"):
        make(member, rows)
    with pytest.raises(AppError, match="no answer of the model"):
        make(member, rows, contexts=Context(model=model))
    with pytest.raises(AppError, match="no target"):
        make(member, rows, {"answer": "target"}, contexts=Context(model=model, response="x"))
    with pytest.raises(AppError, match="No word of this prompt"):
        make(member, [Example("a", "1 2 3")], contexts=Context(model=model, response=ANSWER))
    import threading

    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        make(member, rows, contexts=Context(model=model, response=ANSWER, stop=stop))
