"""Words and sentences end where Unicode's rules say, in linear work, and by the clock."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uniseg.sentencebreak import sentences as uniseg_sentences
from uniseg.wordbreak import words as uniseg_words

from core import text_breaks
from core.errors import AppError
from core.segments import GRANULARITIES, partition
from core.text_breaks import TextClock, sentence_ends, word_ends, words

LETTERS = [*list("aAbZ09.,:;'\"!?()-_ \t"), "é", "é", "\xad", "א", "״", "ア", "漢", "ひ", "한", "́"]
MARKS = [
    "🇩",
    "🇪",
    "👩",
    "\u200d",
    "\ufe0f",
    "…",
    "。",
    "’",
    "·",
    "٠",
    "ß",
    "Ⅷ",
    "«",
    "”",
    "\u00a0",
    "\u3000",
    "ก",
    "Ж",
    "ж",
]
TEXT = st.lists(st.sampled_from([*LETTERS, *MARKS]), max_size=14).map("".join)
OTHER = set("·_👩\u200d\ufe0f🇩🇪\u0301\u00ad\t")
"""uniseg 0.10 does not step over these marks in SB8, as the rule asks for; the rule's own cases stand below."""


def cut(text: str, ends: Iterator[int]) -> list[str]:
    at = [0, *ends]
    return [text[a:b] for a, b in pairwise(at)]


@given(TEXT)
def test_words_end_where_the_library_says(text: str) -> None:
    assert words(text) == list(uniseg_words(text))


@given(TEXT.filter(lambda text: not OTHER & set(text)))
def test_sentences_end_where_the_library_says(text: str) -> None:
    assert cut(text, sentence_ends(text)) == list(uniseg_sentences(text))


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        (
            "He said, “Are you going?” John shook his head.",
            ["He said, “Are you going?” ", "John shook his head."],
        ),
        ("3.14 is about pi.", ["3.14 is about pi."]),  # SB6
        ("The U.S. is large. So?", ["The U.S. is large. ", "So?"]),  # SB7, SB8
        ("etc. – and so on. Then", ["etc. – and so on. ", "Then"]),  # SB8 steps over what is no letter
        ("etc.·and", ["etc.·and"]),
        ("What?, he said.", ["What?, he said."]),  # SB8a
        ("(Yes.) No.", ["(Yes.) ", "No."]),  # SB9 to SB11
        ("はい。いいえ。", ["はい。", "いいえ。"]),
        ("A.\u0301B. C", ["A.\u0301B. ", "C"]),  # SB5
    ],
)
def test_sentences_of_the_rules(text: str, sentences: list[str]) -> None:
    assert cut(text, sentence_ends(text)) == sentences


MARKED = [
    "a.",
    "'",
    '"',
    ". ",
    "🇩",
    "👩\u200d",
    "1.",
    'א"',
    "א'",
    "Q: a\n",
    "\n",
    "\r",
    "\u2028",
    " ",
    "x",
    "<a ",
]
JOINED = [
    "*",
    "_",
    "\u0301",
    ".❤",
    ".)",
    "ア_",
    "क\u094d",
    "\u0600",
    "# a\n",
    "\n\n",
    "A.",
    "9,",
    "\u1100",
    ": ",
    "\t",
]
UNITS = st.sampled_from([*MARKED, *JOINED, "Q1: ", "\x85"])
HEAD = st.text(max_size=3)


@settings(max_examples=60)
@given(HEAD, UNITS, UNITS, st.sampled_from([g.name for g in GRANULARITIES if g.cuts]))
def test_every_granularity_partitions_hostile_text_before_the_clock_runs_out(
    head: str, one: str, other: str, granularity: str
) -> None:
    text = head + (one * 8_000)[:8_000] + (other * 8_000)[:8_000]
    spans = partition(text, granularity)
    assert [a for a, _ in spans] == [0, *(b for _, b in spans)][:-1] and spans[-1][1] == len(text)


@pytest.mark.parametrize("granularity", [g.name for g in GRANULARITIES if g.cuts])
def test_the_clock_stops_every_granularity(granularity: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TextClock, "left", lambda self: (_ for _ in ()).throw(self.over()))
    with pytest.raises(AppError, match="took longer than 2 seconds"):
        partition(f"Some text. {granularity}", granularity)


def test_the_clock_stops_within_one_long_line() -> None:
    for ends in (word_ends, sentence_ends):
        with pytest.raises(AppError, match=r"took longer than 1e-09 seconds"):
            list(ends("a. " * 100_000, TextClock(1e-9)))
    assert text_breaks.SECONDS == 2.0
