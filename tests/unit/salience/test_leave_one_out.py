"""Leave one out: the measured change, from ids alone and from models that only tell log-probabilities."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.errors import AppError, Stopped
from core.models.language_model import Capabilities
from core.records import ModelSpec, Tokens
from core.salience import METHODS, method, request_for
from core.salience.leave_one_out import columns_option, spans, unmeasured
from core.salience.taking_out import without
from core.segments import segments

PROMPT, RESPONSE = "The soup has cheese.\nA vegan would not", " like"


def test_equals_a_pass_over_the_shorter_ids(load_tiny):
    model = load_tiny("gemma2")
    tokens = model.tokenize(PROMPT, RESPONSE)
    lines = [s.tokens for s in segments(tokens, "line", "prompt") if s.text]
    matrix = method("leave_one_out").run(
        model, request_for(model, tokens, "leave_one_out", options=(columns_option(lines),)), tokens=tokens
    )

    def nats(ids):
        logits = model.model(torch.tensor(ids)[None]).logits[0]
        rows = len(tokens) - tokens.prompt_len
        found = torch.log_softmax(logits[-rows - 1 : -1], -1).gather(1, torch.tensor(ids[-rows:])[:, None])
        return found[:, 0].detach().numpy()

    whole = nats(tokens.ids)
    for start, end in lines:
        expected = whole - nats(np.r_[tokens.ids[:start], tokens.ids[end:]])
        np.testing.assert_allclose(matrix.values[:, start:end].sum(1), expected, atol=1e-4)
    assert (matrix.values[:, tokens.prompt_len :] == 0).all()


class Teller:
    """Tells log-probabilities only: each response token likes every "a" in the prompt by one nat."""

    spec = ModelSpec("teller", "nowhere")
    capabilities = Capabilities(
        gradients=False, salience=False, why={"gradients": "it tells log-probabilities"}
    )

    def logprobs(self, tokens):
        return np.full(len(tokens) - tokens.prompt_len, tokens.text[: tokens.prompt_chars].count("a") - 9.0)


def letters(text: str, prompt_len: int) -> Tokens:
    size = len(text)
    char_spans = np.array([(i, i + 1) for i in range(size)])
    role = np.arange(size) >= prompt_len
    return Tokens(np.arange(size), text, char_spans, np.zeros(size, bool), role, prompt_len)


def test_models_without_gradients():
    tokens = letters("banana?!", 7)
    request = request_for(Teller(), tokens, "leave_one_out")
    matrix = method("leave_one_out").run(Teller(), request, tokens=tokens)
    assert matrix.values[0].tolist() == [0, 1, 0, 1, 0, 1, 0, 0]
    for one in METHODS:
        if one.needs == "gradients":
            with pytest.raises(AppError, match="it tells log-probabilities"):
                one.run(Teller(), request_for(Teller(), tokens, one.name))


def test_the_whole_prompt_cannot_be_left_out():
    tokens = letters("ab!", 2)
    request = request_for(Teller(), tokens, "leave_one_out", options=(columns_option([(0, 2)]),))
    matrix = method("leave_one_out").run(Teller(), request, tokens=tokens)
    assert not matrix.values.any() and "whole prompt" in matrix.note


@pytest.mark.parametrize("text", ["x", "1", "3:2", "0:9", "2:4,3:5", "0:-1", "0:2;3:4"])
def test_spans_that_are_none(text):
    with pytest.raises(AppError, match="token spans within the prompt's 8 tokens"):
        spans(text, 8)


@given(st.integers(1, 6), st.integers(0, 5), st.integers(0, 5))
def test_without_cuts_text_and_ids_alike(prompt_len, a, b):
    start, end = sorted((min(a, prompt_len), min(b, prompt_len)))
    rest = without(letters("abcdefgh", prompt_len), start, end)
    expected = "abcdefgh"[:start] + "abcdefgh"[end:]
    assert rest.text == expected and rest.strings == tuple(expected)
    assert rest.prompt_len == prompt_len - (end - start)


def test_progress_moves_with_every_segment_taken_out():
    tokens = letters("a-aa?", 4)
    spans_shown = columns_option([(0, 1), (1, 2), (2, 3), (3, 4)])
    request = request_for(Teller(), tokens, "leave_one_out", options=(spans_shown,))
    told: list[float] = []
    method("leave_one_out").run(Teller(), request, tokens=tokens, on_progress=told.append)
    assert told == [0.25, 0.5, 0.75, 1.0]


def test_a_stop_is_heard_between_two_segments():
    tokens, stop, told = letters("a-aa?", 4), threading.Event(), []

    def hear(fraction: float) -> None:
        told.append(fraction)
        stop.set()

    with pytest.raises(Stopped):
        method("leave_one_out").run(
            Teller(),
            request_for(Teller(), tokens, "leave_one_out"),
            tokens=tokens,
            on_progress=hear,
            stop=stop,
        )
    assert told == [0.25]


def test_what_is_locked_stays_in_and_the_note_says_so():
    tokens = letters("banana?!", 7)
    request = request_for(Teller(), tokens, "leave_one_out", options=(columns_option([(0, 2), (2, 6)]),))
    matrix = method("leave_one_out").run(Teller(), request, tokens=tokens)
    assert matrix.values[0].tolist() == [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0, 0]
    assert "stays in: it is not measured" in matrix.note


def test_what_cannot_be_measured_is_told_from_a_measured_zero():
    """A mask of the request, beside the values: maps that were kept before know it as well."""
    tokens = letters("ab aXY", 4)
    whole = request_for(Teller(), tokens, "leave_one_out", options=(columns_option([(0, 4)]),))
    assert unmeasured(whole).tolist() == [True] * 4 + [False] * 2  # nothing stays before the answer
    half = request_for(Teller(), tokens, "leave_one_out", options=(columns_option([(0, 2)]),))
    assert unmeasured(half).tolist() == [False, False, True, True, False, False]  # the rest is locked
    every = request_for(Teller(), tokens, "leave_one_out")
    assert not unmeasured(every).any()
    lone = request_for(Teller(), letters("aX", 1), "leave_one_out")
    assert unmeasured(lone).tolist() == [True, False]
    lines = segments(letters("a\nb\nX", 4), "line", "prompt")
    asked = request_for(Teller(), tokens, "leave_one_out", options=(columns_option([lines[0].tokens]),))
    assert METHODS_BY["leave_one_out"].unmeasured_parts(asked, lines) == (1,)
    assert METHODS_BY["grad_l2"].unmeasured_parts(asked, lines) == ()


METHODS_BY = {one.name: one for one in METHODS}
