"""A given text asked token after token, against a table of which every sum can be done by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from core.models.remote import remote_tokens
from core.models.remote.openai_stream import Told, ToldPlace
from core.models.remote.openai_walk import MANY, reading, walk

TABLE: dict[str, dict[str, float]] = {
    "": {" a": 0.5, " b": 0.3, " é": 0.2},
    " a": {" c": 0.9, " d": 0.1},
    " b": {" c": 0.25, " d": 0.75},
    " a c": {" e": 1.0},
    " b c": {" e": 0.6, " f": 0.4},
    " b d": {" f": 0.7, " e": 0.3},
    " a d": {" f": 1.0},
}


def server(
    most: int = 99, wide: int = 99
) -> tuple[Callable[[str, int, int], Sequence[ToldPlace]], list[tuple[str, int]]]:
    """Goes on greedily by the table, and tells at most `most` tokens a place (`wide` where many are asked for)."""
    asked: list[tuple[str, int]] = []

    def ask(begun: str, count: int, alternatives: int) -> list[ToldPlace]:
        asked.append((begun, alternatives))
        found = []
        for _ in range(count):
            if begun not in TABLE:
                break
            ranked = sorted(TABLE[begun].items(), key=lambda item: -item[1])
            told = [Told(text, math.log(p)) for text, p in ranked]
            shown = told[: wide if alternatives == MANY else most]
            found.append(ToldPlace(told[0], tuple(shown)))
            begun += told[0].text
        return found

    return ask, asked


def test_words_that_the_model_would_write_cost_one_request() -> None:
    ask, asked = server()
    steps = walk(ask, " a c e", [0, 2, 4], 0, 6, goes_on=True)
    assert [step.nats for step in steps] == pytest.approx([math.log(0.5), math.log(0.9), 0.0])
    assert all(step.likeliest and not step.bound for step in steps) and len(asked) == 1


def test_each_other_word_costs_one_more() -> None:
    ask, asked = server()
    steps = walk(ask, " b c f", [0, 2, 4], 0, 6, goes_on=True)
    assert [step.nats for step in steps] == pytest.approx([math.log(0.3), math.log(0.25), math.log(0.4)])
    assert not any(step.likeliest for step in steps)
    assert [begun for begun, _ in asked] == ["", " b", " b c"]


def test_only_the_words_asked_for_are_asked_for() -> None:
    ask, asked = server()
    tokens = remote_tokens.write("p:", " b c f")
    found = reading(tokens, [2], ask, goes_on=True)
    assert np.isnan(found.logprob_nats[:2]).all() and found.logprob_nats[2] == pytest.approx(math.log(0.4))
    assert [begun for begun, _ in asked] == [" b c"]


def test_a_word_that_is_not_told_has_a_bound() -> None:
    ask, asked = server(most=1, wide=1)
    found = reading(remote_tokens.write("p:", " b d"), [0, 1], ask, goes_on=True)
    assert found.bound is not None and found.bound.tolist() == [True, False]
    assert found.logprob_nats[0] == pytest.approx(math.log(0.5))  # at most as likely as the least told
    assert found.logprob_nats[1] == pytest.approx(math.log(0.75))
    assert ("", MANY) in asked  # more were asked for first
    ask, _ = server(most=1)  # a server that tells many when asked
    found = reading(remote_tokens.write("p:", " b d"), [0, 1], ask, goes_on=True)
    assert found.bound is not None and not found.bound.any()
    assert found.logprob_nats.tolist() == pytest.approx([math.log(0.3), math.log(0.75)])


def test_a_server_that_does_not_go_on_is_known_up_to_the_first_other_word() -> None:
    ask, asked = server()
    found = reading(remote_tokens.write("p:", " a d f"), [0, 1, 2], ask, goes_on=False)
    assert found.logprob_nats[:2].tolist() == pytest.approx([math.log(0.5), math.log(0.1)])
    assert found.bound is not None and found.bound.tolist() == [False, False, True] and len(asked) == 1
    found = reading(remote_tokens.write("p:", " b d f"), [2], ask, goes_on=False)
    assert np.isnan(found.logprob_nats[2])  # what stands before these words is another text: nothing is known


def test_characters_of_several_bytes_are_found_by_their_bytes() -> None:
    halves = [ToldPlace(Told("\ufffd", -0.25, b" \xc3"), ()), ToldPlace(Told("\ufffd", -0.5, b"\xa9"), ())]
    found = reading(remote_tokens.write("p:", " é"), [0], lambda *_: halves, goes_on=True)
    assert found.logprob_nats.tolist() == [-0.75] and found.likeliest is not None and found.likeliest.all()
