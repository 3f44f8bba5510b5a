"""Chats of several turns: how an example keeps them, and what a part of the rendered text belongs to."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import AppError
from core.read_turns import places
from core.records import Example, Message, Role, Tokens
from core.ui.asking import conversation
from core.ui.asking.conversation import FIELD, checked, replaced, turns_as_field, turns_of

CHAT = (
    Message("system", "Be kind."),
    Message("user", " user "),
    Message("assistant", "Hm.\nYes."),
    Message("user", "user"),
)


def rendered(*pieces: tuple[str, bool]) -> Tokens:
    """Characters as tokens; each piece is a text and whether a person wrote it."""
    text = "".join(piece for piece, _ in pieces)
    role = [Role.PROMPT if written else Role.TEMPLATE for piece, written in pieces for _ in piece]
    starts = np.arange(len(text))
    spans = np.stack([starts, starts + 1], 1)
    return Tokens(starts, text, spans, np.zeros(len(text), bool), np.array(role, np.int8), len(text))


# As a template that strips: "system|Be kind.#user|user#assistant|Hm.\nYes.#user|user#"
TOKENS = rendered(
    ("system|", False), ("Be kind.", True), ("#user|", False), ("user", True),
    ("#assistant|", False), ("Hm.\nYes.", True), ("#user|", False), ("user", True), ("#", False),
)  # fmt: skip


def test_a_word_of_the_template_is_no_turn():
    found = places(TOKENS, CHAT)
    assert [TOKENS.text[a:b] for a, b in found] == ["Be kind.", "user", "Hm.\nYes.", "user"]
    assert [a for a, _ in found] == [7, 21, 36, 50]


def test_what_does_not_stand_there_has_no_place():
    assert places(TOKENS, (Message("user", "soup"), Message("user", ""))) == [None, None]


def test_a_part_of_an_earlier_turn_is_replaced_there():
    at = TOKENS.text.index("Yes.")
    new = replaced(CHAT, TOKENS, (at, at + 5), "No.")  # the part ends in the template: that stays
    assert new == (*CHAT[:2], Message("assistant", "Hm.\nNo."), CHAT[3])


def test_a_system_message_that_is_taken_out_is_no_turn_any_more():
    assert replaced(CHAT, TOKENS, (7, 15), "") == CHAT[1:]


def test_a_part_across_two_turns_is_replaced_once():
    joined = rendered(("one\n\ntwo", True))
    turns = (Message("user", "one"), Message("assistant", "two"))
    assert replaced(turns, joined, (2, 6), "X") == (Message("user", "onX"), Message("assistant", "wo"))


def test_plain_text_stays_text():
    assert replaced("one\ntwo", rendered(("one\ntwo", True)), (0, 4), "") == "two"


def test_an_example_keeps_its_turns():
    assert turns_of(Example("a", "p")) is None
    assert turns_of(Example("a", "p", fields={FIELD: turns_as_field(CHAT)})) == CHAT
    assert turns_of(Example("a", "p", fields={FIELD: []})) == ()


@pytest.mark.parametrize("other", ["text", 3, [1], [{"role": "user"}], [{"role": "king", "content": ""}],
                                   [{"role": "user", "content": 4}]])  # fmt: skip
def test_a_column_of_that_name_that_is_no_chat_is_left_alone(other):
    assert turns_of(Example("a", "p", fields={FIELD: other})) is None


def test_empty_turns():
    assert checked((Message("system", " "), Message("user", "a"))) == (Message("user", "a"),)
    with pytest.raises(AppError, match=r"Turn 2 of the chat \(assistant\) is empty"):
        checked((Message("user", "a"), Message("assistant", "\n")))
    assert conversation.NAMES.keys() == {"system", "user", "assistant"}
