from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import AppError
from core.models.remote.remote_tokens import align, piece_id, pieces, turns, with_response, write
from core.records import Message, Role

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.text(
    st.sampled_from("ab \n\t.é한국עב🙂👩‍👩‍👧\r"), max_size=40
)


@given(TEXT)
def test_pieces_partition_the_text(text: str) -> None:
    spans = pieces(text)
    assert "".join(text[a:b] for a, b in spans) == text
    assert all(a < b for a, b in spans)


def test_a_space_goes_with_the_word_after_it() -> None:
    text = "It isn't  so.\nYes "
    assert [text[a:b] for a, b in pieces(text)] == ["It", " isn't", "  so", ".", "\n", "Yes", " "]


@given(st.lists(st.text(st.sampled_from("ab .é한🙂\n"), min_size=1, max_size=4), max_size=12))
def test_alignment_of_true_pieces_is_exact(strings: list[str]) -> None:
    text = "".join(strings)
    spans, special = align(text, [s.replace(" ", "▁") for s in strings])
    assert [text[a:b] for a, b in spans] == strings
    assert not any(special)


@given(TEXT, st.lists(st.text(max_size=5), max_size=10))
def test_alignment_survives_anything(text: str, strings: list[str]) -> None:
    spans, special = align(text, strings)
    assert len(spans) == len(special) == len(strings)
    assert all(0 <= a <= b <= len(text) for a, b in spans)
    if strings and not all(special):
        assert {i for a, b in spans for i in range(a, b)} == set(range(len(text)))


def test_parts_of_a_character_share_it() -> None:
    spans, special = align("a🙂 b", ["<s>", "a", "<0xF0>", "<0x9F>", "<0x99>", "<0x82>", "▁b", "</s>"])
    assert spans == [(0, 0), (0, 1), (1, 2), (1, 2), (1, 2), (1, 2), (2, 4), (4, 4)]
    assert special == [True, *[False] * 6, True]
    spans, _ = align("한b", ["\ufffd", "\ufffd", "b"])
    assert spans == [(0, 1), (0, 1), (1, 2)]


def test_text_that_looks_like_a_special_token_is_text() -> None:
    spans, special = align("a <b> c", ["a", "▁<b>", "▁c"])
    assert spans == [(0, 1), (1, 5), (5, 7)]
    assert not any(special)


def test_ids_are_stable_and_clear_of_the_template() -> None:
    assert piece_id("a") == piece_id("a") != piece_id("b")
    assert 16 <= piece_id("") < 2**48
    assert write("a a").ids.tolist() == [piece_id("a"), piece_id(" a")]


CHAT = (
    Message("system", "Be\nbrief. "),
    Message("user", "assistant: no\nuser: yes"),
    Message("assistant", ""),
)


def test_a_chat_is_read_back_from_its_marks_not_its_text() -> None:
    tokens = write(CHAT, " Sure")
    assert turns(tokens) == CHAT
    assert tokens.response == " Sure"
    assert tokens.role[0] == Role.TEMPLATE
    assert tokens.role[-1] == Role.RESPONSE
    assert turns(write("user: hello")) is None
    with pytest.raises(AppError, match="no turns"):
        write([])


@given(TEXT, TEXT)
def test_prompt_and_response_part_exactly(prompt: str, response: str) -> None:
    tokens = write(prompt, response)
    assert tokens.text == prompt + response
    assert tokens.response == response
    assert tokens.text[: tokens.prompt_chars] == prompt


def test_the_servers_tokens_are_kept_where_it_told_them() -> None:
    prompt = write("Hi")
    made = with_response(prompt, [(0, 4), (4, 6)], " there")
    assert made.strings == ("Hi", " the", "re")
    assert made.ids[-1] == piece_id("re")
    assert with_response(prompt, None, " there").strings == ("Hi", " there")
    assert len(with_response(prompt, None, "")) == 1
