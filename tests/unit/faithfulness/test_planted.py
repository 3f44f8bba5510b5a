"""Planted causes and curves over a model whose every figure can be done in the head."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.errors import AppError, Stopped
from core.faithfulness import (
    CONTROLS,
    Case,
    Finding,
    control_finding,
    countable_parts,
    curves,
    finding,
    verify,
)
from core.faithfulness.curves import area, budget, strongest_first
from core.faithfulness.planted import said, target_tokens
from core.models.language_model import Capabilities
from core.records import Generation, GenerationParams, Tokens
from core.salience import method
from core.segments import segments
from tests.unit.fake_model import SPEC, tokens_of

WEIGHTS = {"a": -1.0, "b": -4.0, "c": -2.0}
LEAVE_ONE_OUT = method("leave_one_out")


class Copier:
    """Answers with the letter of the line `key=`, else "none"; each letter missing costs its weight."""

    capabilities = Capabilities(gradients=False, salience=False)
    spec = SPEC

    def __init__(self) -> None:
        self.asked = 0

    def tokenize(self, prompt: str, response: str | None = None) -> Tokens:
        return tokens_of(prompt, response or "")

    def generate_batch(
        self, batch: Sequence[Tokens], params: GenerationParams, *, stop: threading.Event | None = None
    ) -> list[Generation]:
        made = []
        for tokens in batch:
            prompt = tokens.text
            answer = prompt.partition("key=")[2][:1] or "none"
            whole = tokens_of(prompt, f" It is {answer}.")
            nats = np.zeros(len(whole) - whole.prompt_len, np.float32)
            made.append(Generation("", SPEC, params, whole, whole.response, nats, "eos", 0.0))
        return made

    def logprobs(self, tokens: Tokens) -> NDArray[np.float32]:
        """Each response token: the sum of the weights of the letters that the prompt does not hold."""
        self.asked += 1
        prompt = tokens.text[: tokens.prompt_chars]
        lost = sum(weight for letter, weight in WEIGHTS.items() if letter not in prompt)
        return np.full(len(tokens) - tokens.prompt_len, lost, np.float32)


def test_what_the_answer_ends_with() -> None:
    assert said(" It is blue.", "blue") == (7, 11)
    assert said("blue, then red", "blue") is None
    assert said("It is 112.", "12") is None
    assert said("", "blue") is None
    tokens = tokens_of("p: ", " It is blue.")
    assert target_tokens(tokens, (7, 11)) == (10, 14)


def test_a_cause_counts_only_when_the_answer_flips() -> None:
    cases = [
        Case("key=x\nother\n?", "x", ((0, 5),), "other\n?"),
        Case("key=x\nother\n?", "y", ((0, 5),), "other\n?"),
        Case("key=x\nkey=x\n?", "x", ((0, 5),), "key=x\n?"),
        Case("nothing\n?", "none"),
    ]
    trials = verify(Copier(), cases, GenerationParams(), batch_size=3)
    assert [trial.verdict for trial in trials] == [
        "verified",
        "answered otherwise",
        "did not flip",
        "verified",
    ]
    assert trials[0].causes() == {0} and trials[3].causes() == frozenset()
    assert [line.text for line in trials[0].lines] == ["key=x\n", "other\n", "?"]


def test_a_method_ranks_lines_as_the_page_does() -> None:
    (trial,) = verify(Copier(), [Case("a\nkey=b\nc\n", "b", ((2, 7),), "a\nc\n")], GenerationParams())
    # Without a line the answer loses 1, 4 and 2 nats: the cause first, shares 1/7, 4/7, 2/7.
    assert finding(Copier(), trial, LEAVE_ONE_OUT) == Finding((1,), 3, flat=False)
    assert control_finding(trial, CONTROLS[2], 0) == Finding((2,), 3)


@given(st.integers(0, 200), st.integers(1, 30))
def test_budgets_rise_from_nothing_to_all(count: int, steps: int) -> None:
    cuts = budget(count, steps)
    assert cuts[0] == 0 and cuts[-1] == count and len(cuts) <= steps + 1
    assert all(a < b for a, b in pairwise(cuts))


def test_orders_and_areas_by_hand() -> None:
    assert strongest_first([1.0, -3.0, 2.0], signed=False) == [1, 2, 0]
    assert strongest_first([1.0, -3.0, 2.0], signed=True) == [2, 0, 1]
    assert area((0.0, 0.5, 1.0), (1.0, 1.0, 0.0), (0.0, 0.0, 0.0)) == 0.75
    assert area((0.0, 0.5), (2.0, 2.0), (1.0, 1.0)) == 1.0


def test_curves_by_hand() -> None:
    model, tokens = Copier(), tokens_of("a\nb\nc\n", "x")
    lines = countable_parts(segments(tokens, "line", "prompt"))
    deletion, control = curves(model, tokens, (6, 7), lines, [LEAVE_ONE_OUT], steps=3, repeats=6)
    # This model has no token before the prompt, so the last line stays: b goes first, then c.
    assert deletion.parts == (0.0, 1 / 3, 2 / 3)
    assert deletion.logprob_nats == (0.0, -4.0, -6.0)
    assert deletion.steps == ("", "b\n", "c\n")
    assert deletion.area_nats > 0 and control.control and control.area_nats == 0
    assert all(low <= mid <= high for low, mid, high in zip(control.low, control.logprob_nats, control.high))
    insertion, _ = curves(model, tokens, (6, 7), lines, [LEAVE_ONE_OUT], insertion=True, steps=3, repeats=6)
    assert insertion.parts == (1 / 3, 2 / 3, 1.0)
    assert insertion.logprob_nats == (-3.0, -1.0, 0.0)  # b alone, b and c, all
    assert insertion.steps == ("b\n", "c\n", "a\n")


def test_one_part_has_no_order_and_stop_stops() -> None:
    tokens = tokens_of("a", "x")
    with pytest.raises(AppError, match="1 part"):
        curves(Copier(), tokens, (1, 2), segments(tokens, "line", "prompt"), [LEAVE_ONE_OUT])
    stop = threading.Event()
    stop.set()
    tokens = tokens_of("a\nb\n", "x")
    with pytest.raises(Stopped):
        curves(Copier(), tokens, (4, 5), segments(tokens, "line", "prompt"), [LEAVE_ONE_OUT], stop=stop)
