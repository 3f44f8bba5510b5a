"""Characters of tokens: bytes of generated ids, and offset mappings that need mending."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.models.char_spans import complete_length, cover, decode_with_spans, share_characters


def test_a_character_of_several_tokens_is_one_unit():
    face = "🙂".encode()
    text, spans = decode_with_spans([b"a", face[:1], face[1:3], face[3:], b"b"])
    assert text == "a🙂b"
    assert spans == [(0, 1), (1, 2), (1, 2), (1, 2), (2, 3)]


def test_invalid_bytes_become_the_replacement_character():
    text, spans = decode_with_spans([b"\xe2\x82", b"x", b"\xf5", b"", b"y"])
    assert text == "\ufffdx\ufffdy"
    assert spans == [(0, 1), (1, 2), (2, 3), (3, 3), (3, 4)]


@given(st.binary(max_size=40), st.lists(st.integers(0, 40), max_size=6))
def test_any_bytes_decode_as_python_does_and_are_covered(raw, cuts):
    edges = sorted({0, len(raw), *(cut for cut in cuts if cut < len(raw))})
    pieces = [raw[a:b] for a, b in itertools.pairwise(edges)]
    text, spans = decode_with_spans(pieces)
    assert text == raw.decode("utf-8", errors="replace")
    covered = {i for a, b in spans for i in range(a, b)}
    assert covered == set(range(len(text)))
    for left, right in itertools.pairwise(spans):
        assert left == right or left[1] == right[0]  # one unit, or side by side


@given(st.text(max_size=20))
def test_complete_length_never_splits_a_character(text):
    raw = text.encode()
    for cut in range(len(raw) + 1):
        assert text.startswith(raw[: complete_length(raw[:cut])].decode())


@pytest.mark.parametrize(
    ("offsets", "special", "length", "expected"),
    [
        ([(0, 0), (0, 2), (3, 5)], [True, False, False], 5, [(0, 0), (0, 2), (2, 5)]),  # trimmed space
        ([(1, 3)], [False], 5, [(0, 5)]),  # trimmed at both ends
        ([(0, 1), (1, 1), (1, 2), (2, 3)], [False] * 4, 3, [(0, 1), (1, 2), (1, 2), (2, 3)]),
        ([(0, 1), (1, 2), (2, 2), (2, 3)], [False] * 4, 3, [(0, 1), (1, 2), (2, 3), (2, 3)]),
        ([(0, 1), (1, 2), (2, 2)], [False] * 3, 2, [(0, 1), (1, 2), (1, 2)]),
        ([(0, 3), (3, 5)], [True, False], 5, [(0, 3), (3, 5)]),  # a control token typed in the text
    ],
)
def test_cover(offsets, special, length, expected):
    assert cover(offsets, special, length) == expected


def test_share_characters_keeps_empty_spans():
    assert share_characters([(0, 0), (0, 2), (1, 3), (3, 3), (3, 4)]) == [
        (0, 0),
        (0, 3),
        (0, 3),
        (3, 3),
        (3, 4),
    ]
