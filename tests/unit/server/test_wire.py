"""LIT's token strings and masks, on tokens made by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import AppError
from core.records import Role, Tokens
from core.server import wire
from tests.unit.fake_model import tokens_of


def test_spaces_are_marked_newlines_are_themselves_and_joined_strings_are_the_text() -> None:
    text = "<s>Hi there\n né"
    spans = [(0, 0), (3, 5), (5, 11), (11, 12), (12, 14), (14, 15), (14, 15)]
    special = [True, False, False, False, False, False, False]
    tokens = Tokens(
        ids=np.arange(7) + 100,
        text=text,
        char_spans=np.array(spans),
        special=np.array(special),
        role=np.full(7, Role.PROMPT),
        prompt_len=7,
    )
    strings = wire.token_strings(tokens, lambda token: f"<{token}>")
    assert strings == ["<100>", "Hi", "\u2581there", "\n", "\u2581n", "é", ""]
    assert wire.token_strings(tokens)[0] == ""


def test_no_mask_is_the_whole_target() -> None:
    tokens = tokens_of("abc", "xy")
    assert wire.explained(tokens, None, "inputs.0").tolist() == [3, 4]
    assert wire.explained(tokens, [], "inputs.0").tolist() == [3, 4]


def test_a_mask_may_choose_any_tokens_but_the_first() -> None:
    tokens = tokens_of("abc", "xy")
    assert wire.explained(tokens, [1, 1.0, 0, 0, 1], "inputs.0").tolist() == [1, 4]
    assert wire.explained(tokens, [0] * 5, "inputs.0").tolist() == []


def test_a_mask_of_another_length_is_refused_with_both_lengths() -> None:
    with pytest.raises(AppError, match="target_mask has 4 values, but the prompt and target have 5 tokens"):
        wire.explained(tokens_of("abc", "xy"), [0, 0, 0, 1], "inputs.0")


def test_nothing_to_explain_is_said() -> None:
    with pytest.raises(AppError, match=r"inputs\.7 has neither a target nor a target_mask"):
        wire.explained(tokens_of("abc"), None, "inputs.7")


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_runs_partition_the_positions(flags: list[bool]) -> None:
    positions = np.flatnonzero(flags)
    spans = wire.runs(positions)
    assert [i for start, stop in spans for i in range(start, stop)] == positions.tolist()
    assert all(a[1] < b[0] for a, b in itertools.pairwise(spans))


def test_the_sign_is_turned_and_zero_stays_zero() -> None:
    turned = wire.lit_sign(np.array([1.5, 0.0, -2.0], np.float32))
    assert turned.tolist() == [-1.5, 0.0, 2.0]
    assert not np.signbit(turned[1])
