"""Which turns of a chat a model did not read as they were written: one rule, and the same words everywhere."""

from __future__ import annotations

from core.read_turns import told_of_rows, turns_not_read
from core.records import Message
from tests.unit.ui.test_conversation import CHAT, TOKENS, rendered


def test_of_plain_text_there_is_nothing_to_tell():
    assert turns_not_read(TOKENS, "Be kind.") == ()


def test_rows_are_counted_by_what_is_told_of_them():
    rows = [("The a.",), ("The b.", "The a.", "The a."), (), ("The a.",)]
    assert told_of_rows(rows) == ("In 3 rows: the a.", "In 1 row: the b.")


def test_a_turn_that_the_model_did_not_read_as_it_stands_is_told():
    assert turns_not_read(TOKENS, CHAT) == ()
    dropped = rendered(("#user|", False), ("soup", True), ("#", False))
    turns = (Message("system", "Be kind."), Message("user", "soup"))
    (told,) = turns_not_read(dropped, turns)
    assert "leaves out or rewrites the system message" in told
    shouted = rendered(("#user|", False), ("SOUP", True), ("#", False))
    (told,) = turns_not_read(shouted, (Message("user", "soup"),))
    assert "turn 1 (user)" in told


def test_a_system_message_that_begins_the_first_user_turn_is_told():
    turns = (Message("system", "Be kind."), Message("user", "soup"))
    folded = rendered(("#user|", False), ("Be kind.\n\nsoup", True), ("#", False))
    (told,) = turns_not_read(folded, turns)
    assert told.endswith("the system message begins the first user turn.")
    assert turns_not_read(rendered(("Be kind.\n\nsoup", True)), turns) == ()  # there is no template at all


def test_thinking_of_an_earlier_answer_that_a_template_leaves_out_is_told():
    turns = (
        Message("user", "a"), Message("assistant", "<think>hm</think>\nb"), Message("user", "c"),
    )  # fmt: skip
    without = rendered(
        ("#user|", False), ("a", True), ("#assistant|", False), ("b", True), ("#user|", False), ("c", True),
    )  # fmt: skip
    (told,) = turns_not_read(without, turns)
    assert told == "The model's chat template leaves out what was thought in turn 2 (assistant)."
