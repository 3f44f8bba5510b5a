"""Partitions are exact for any text, and mean what their names say."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from uniseg.sentencebreak import sentences
from uniseg.wordbreak import words

from core.errors import AppError
from core.records import Role, Segment, Tokens
from core.segments import GRANULARITIES, partition, segments
from core.text_breaks import TextClock

TEXT_ONLY = tuple(g.name for g in GRANULARITIES if g.cuts is not None)
PIECES = (
    *"ab.?!:# ,-\"'(1\t",
    "\n",
    "\r\n",
    "\n\n\n",
    "\u2028",
    "\u00a0",
    "👨\u200d👩\u200d👧",
    "🇩🇪",
    "👍🏽",
    "e\u0301",
    "q\u0323\u0307",
    "עברית",
    "\u200f",
    "한국어",
    "\u1112\u1161\u11ab",
    "你好。",
    "क्षि",
    "ไทย",
    "Q: ",
    "## ",
    "e.g. ",
    "3.14",
)
texts = st.one_of(st.lists(st.sampled_from(PIECES), max_size=30).map("".join), st.text(max_size=40))


def cut(text: str, granularity: str, pattern: str | None = None) -> list[str]:
    return [text[a:b] for a, b in partition(text, granularity, pattern)]


def clusters(text: str) -> set[int]:
    return {0} | {m.end() for m in regex.finditer(r"\X", text)}


def tokens(text: str, spans: list[tuple[int, int]], prompt_len: int, **kwargs: list[int]) -> Tokens:
    size = len(spans)
    role = [Role.PROMPT] * prompt_len + [Role.RESPONSE] * (size - prompt_len)
    return Tokens(
        ids=np.arange(size),
        text=text,
        char_spans=np.array(spans).reshape(-1, 2),
        special=np.array(kwargs.get("special", [0] * size), bool),
        role=np.array(kwargs.get("role", role)),
        prompt_len=prompt_len,
    )


@st.composite
def tokenised(draw: st.DrawFn) -> Tokens:
    """A text cut anywhere, also inside clusters; some characters are two tokens, some tokens special."""
    prompt, response = draw(texts), draw(texts)
    spans: list[tuple[int, int]] = []
    special: list[int] = []
    counts = []
    for base, text in ((0, prompt), (len(prompt), response)):
        cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=12)) | {0, len(text)})
        own = [(base + a, base + b) for a, b in pairwise(cuts)]
        for span in own:
            times = 2 if span[1] - span[0] == 1 and draw(st.booleans()) else 1
            spans += [span] * times
            special += [draw(st.integers(0, 9)) == 0 for _ in range(times)]
        counts.append(len(spans))
    return tokens(prompt + response, spans, counts[0], special=special)


@given(texts, st.sampled_from(TEXT_ONLY))
@settings(max_examples=400)
def test_a_partition_is_exact_and_never_cuts_a_character(text: str, granularity: str) -> None:
    parts = partition(text, granularity)
    assert "".join(text[a:b] for a, b in parts) == text
    assert [a for a, _ in parts] == [0, *(b for _, b in parts)][: len(parts)]
    assert {b for _, b in parts} <= clusters(text)
    if text.strip():
        assert not any(text[a:b].isspace() for a, b in parts)


@given(texts, st.sampled_from((r"\s+", "(?=Q:)", r"[.!?]", r"\b", "", r".", r"(?<=a)", "\n\n")))
def test_so_is_a_custom_one(text: str, pattern: str) -> None:
    if not pattern:
        return
    parts = partition(text, "custom", pattern)
    assert "".join(text[a:b] for a, b in parts) == text
    assert {b for _, b in parts} <= clusters(text)


@given(tokenised(), st.sampled_from([g.name for g in GRANULARITIES]), st.sampled_from(["prompt", "response"]))
@settings(max_examples=400)
def test_segments_partition_characters_and_tokens(made: Tokens, granularity: str, part: str) -> None:
    out = segments(made, granularity, part, r"\s" if granularity == "custom" else None)  # type: ignore[arg-type]
    text = made.text[: made.prompt_chars] if part == "prompt" else made.response
    count = made.prompt_len if part == "prompt" else len(made) - made.prompt_len
    assert "".join(s.text for s in out) == text or not count
    assert [s.index for s in out] == list(range(len(out)))
    first = 0 if part == "prompt" else made.prompt_len
    flat = [t for s in out for t in range(*s.tokens)]
    assert flat == list(range(first, first + count))
    for segment in out:
        assert segment.tokens[0] < segment.tokens[1]
        assert segment.text == made.text[slice(*segment.chars)]
        apart = made.special[slice(*segment.tokens)]
        assert apart.all() if segment.role is Role.TEMPLATE else not apart.any()


@given(texts)
def test_words_are_never_cut_where_unicode_does_not(text: str) -> None:
    allowed, at = {0}, 0
    for word in words(text):
        at += len(word)
        allowed.add(at)
    # A cut that falls inside a cluster moves to its end.
    ends = sorted(clusters(text))
    allowed |= {next(e for e in ends if e >= a) for a in allowed}
    assert {b for _, b in partition(text, "word")} <= allowed


@given(texts)
def test_sentences_are_never_cut_where_unicode_does_not(text: str) -> None:
    allowed, at = {0}, 0
    for sentence in sentences(text):
        at += len(sentence)
        allowed.add(at)
    ends = sorted(clusters(text))
    allowed |= {next(e for e in ends if e >= a) for a in allowed}
    assert {b for _, b in partition(text, "sentence")} <= allowed


@pytest.mark.parametrize(
    ("granularity", "parts"),
    [
        ("word", ["He ", "said, ", '"no ', '(way)". ', "e.g. ", "3.5 ", "e-", "mail ", "can't ", "$5"]),
        ("word", ["Analysis: ", "it ", "has\n\n", "## ", "eggs.\r\n"]),
        ("word", ["(way) ", "back\n", "“So ", "be ", "it”\n", "$5"]),
        (
            "word",
            ["한국어 ", "문장. ", "你", "好。", "שלום, ", "עולם ", "👨\u200d👩\u200d👧 ", "e\u0301te\u0301"],
        ),
        ("sentence", ["It costs 3.5 dollars, e.g. in town. ", "It is good! ", "Really?\n", "Yes"]),
        ("sentence", ["Dish: soup\n", "Analysis: it has eggs. ", "So no.\n\n", "Dish: cake"]),
        ("sentence", ["1. Be kind. ", "Be quick.\n", "2) Be honest."]),
        ("sentence", ["你好。", "世界！", "שלום. ", "한국어 문장입니다. ", "끝."]),
        ("line", ["a\r\n", "b\n\n\n", "  c"]),
        ("line", ["\n\na b\n", "c"]),
        ("paragraph", ["a\nb\n\n", "c\n \n", "d"]),
        ("paragraph", ["a\r\nb\r\n\r\n", "c"]),
        ("paragraph", ["\n\na\n\n", "b"]),
        ("block", ["Judge the dish.\n\n", "Dish: a\nAnswer: b\n\n", "Dish: c\nAnswer:"]),
        ("block", ["Q: one\nA: 1\n", "Q: two\nA: 2\n"]),
        ("block", ["Intro.\n\n", "## Rules\n- a\n\n- b\n\n", "## Task\nDo.\n"]),
        ("block", ["Example 1:\na\n\nb\n\n", "Example 2:\nc"]),
        ("block", ["<example>\na\n</example>\n", "<example>\nb\n</example>"]),
        ("block", ["one\n\n", "two\n\n", "three"]),
        ("block", ["Note: one\n\n", "two\n\n", "three"]),
        ("block", ["Solve.\n\n", "Ann has 2.\nAnswer: 2.\n\n", "Bo has 3.\nAnswer:"]),
        ("block", ["Read.\n", "Q: one\nA: 1\n", "Q: two\nA:"]),
    ],
)
def test_what_each_granularity_means(granularity: str, parts: list[str]) -> None:
    assert cut("".join(parts), granularity) == parts


def test_a_custom_expression_ends_a_part_where_it_matches() -> None:
    assert cut("a; b; c", "custom", r";\s*") == ["a; ", "b; ", "c"]
    assert cut("Q: a\nQ: b", "custom", r"(?=^Q:)") == ["Q: a\n", "Q: b"]
    assert cut("e\u0301x", "custom", "(?<=e)") == ["e\u0301", "x"]


@pytest.mark.parametrize("granularity", ["token", "syllable"])
def test_what_a_text_alone_cannot_give(granularity: str) -> None:
    with pytest.raises(AppError, match=r"has no tokens|granularity.*syllable"):
        partition("a b", granularity)


def test_a_custom_cut_needs_an_expression() -> None:
    with pytest.raises(AppError, match="is empty"):
        partition("aXXXXb", "custom")


def test_the_search_for_characters_ends_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.segments._CLUSTER", regex.compile("(?:a+)+!|zz"))
    monkeypatch.setattr(TextClock, "left", lambda self: 1e-9)
    with pytest.raises(AppError, match="longer than"):
        partition("a" * 40 + "!" + "a" * 4000 + "?", "line")


def spelled(out: tuple[Segment, ...]) -> list[tuple[str, tuple[int, int]]]:
    return [(s.text, s.tokens) for s in out]


def test_a_token_belongs_to_the_segment_of_its_first_visible_character() -> None:
    # "One." ".\n\nTwo" straddles: its first visible character is the full stop, so it explains line one.
    made = tokens("One.\n\nTwo big", [(0, 3), (3, 9), (9, 13)], 3)
    assert spelled(segments(made, "line")) == [("One.\n\n", (0, 2)), ("Two big", (2, 3))]


def test_a_segment_without_tokens_joins_the_one_before_and_the_first_the_next() -> None:
    made = tokens("a b c d", [(0, 3), (3, 7)], 2)
    assert spelled(segments(made, "word")) == [("a b ", (0, 1)), ("c d", (1, 2))]
    made = tokens("a b", [(2, 3)], 1)
    assert spelled(segments(made, "word")) == [("a b", (0, 1))]


def test_leading_spaces_go_with_the_word_that_they_precede() -> None:
    made = tokens("one two\nsix", [(0, 3), (3, 7), (7, 8), (8, 11)], 4)
    assert spelled(segments(made, "word")) == [("one ", (0, 1)), ("two\n", (1, 3)), ("six", (3, 4))]


def test_parts_of_a_character_are_one_unit() -> None:
    family = "👨\u200d👩"
    made = tokens(f"a{family}b", [(0, 1), (1, 2), (1, 2), (2, 3), (3, 4), (4, 5)], 6)
    assert spelled(segments(made, "token")) == [("a", (0, 1)), (family, (1, 5)), ("b", (5, 6))]


def test_tokens_that_share_a_character_are_one_unit_with_all_that_they_touch() -> None:
    # Bytes of é: the first stands in one token with b, the second is a token of its own.
    made = tokens("abé d", [(0, 1), (1, 3), (2, 3), (3, 5)], 4)
    assert spelled(segments(made, "token")) == [("a", (0, 1)), ("bé", (1, 3)), (" d", (3, 4))]


def test_a_blank_token_is_a_unit_of_its_own() -> None:
    made = tokens("a  b", [(0, 1), (1, 3), (3, 4)], 3)
    assert spelled(segments(made, "token")) == [("a", (0, 1)), ("  ", (1, 2)), ("b", (2, 3))]


def test_characters_that_no_token_covers_belong_to_the_token_before() -> None:
    assert spelled(segments(tokens("a b", [(0, 1), (2, 3)], 2), "token")) == [("a ", (0, 1)), ("b", (1, 2))]
    # A token that shows nothing begins no unit.
    made = tokens("abc", [(0, 1), (1, 1), (2, 3)], 3)
    assert spelled(segments(made, "token")) == [("ab", (0, 2)), ("c", (2, 3))]


def test_tokens_of_the_response_are_units_too() -> None:
    made = tokens("ab cd", [(0, 1), (1, 3), (3, 4), (4, 5)], 2)
    assert spelled(segments(made, "token", "response")) == [("c", (2, 3)), ("d", (3, 4))]


def test_the_words_of_a_template_are_not_parted() -> None:
    made = tokens(
        "Be kind. Hi you",
        [(0, 2), (2, 9), (9, 11), (11, 15)],
        4,
        role=[Role.TEMPLATE, Role.TEMPLATE, Role.PROMPT, Role.PROMPT],
    )
    assert spelled(segments(made, "word")) == [("Be kind. ", (0, 2)), ("Hi ", (2, 3)), ("you", (3, 4))]


def test_template_and_special_tokens_stand_apart() -> None:
    text = "<turn>Hi all<end>Yes"
    made = tokens(
        text,
        [(0, 0), (0, 6), (6, 8), (8, 12), (12, 17), (17, 20), (20, 20)],
        5,
        special=[1, 1, 0, 0, 1, 0, 1],
        role=[Role.PROMPT, Role.TEMPLATE, 0, 0, Role.TEMPLATE, Role.RESPONSE, Role.RESPONSE],
    )
    out = segments(made, "line")
    assert [(s.text, s.tokens, s.role) for s in out] == [
        ("<turn>", (0, 2), Role.TEMPLATE),
        ("Hi all", (2, 4), Role.PROMPT),
        ("<end>", (4, 5), Role.TEMPLATE),
    ]
    assert [(s.text, s.tokens, s.role) for s in segments(made, "word", "response")] == [
        ("Yes", (5, 6), Role.RESPONSE),
        ("", (6, 7), Role.TEMPLATE),
    ]


def test_an_empty_part_has_no_segments() -> None:
    assert segments(tokens("a", [(0, 1)], 1), "word", "response") == ()
    assert partition("", "sentence") == ()


@pytest.mark.parametrize(
    ("granularity", "parts"),
    [
        ("turn", ["User: hi\nthere\n", "Assistant: yes\n"]),
        ("turn", ["### System: be kind\n", "<|user|>\nhi"]),
        ("document", ["Read.\n", "<doc id=1>\na\n</doc>\n", "<doc>\nb\n</doc>\n", "Now"]),
        ("document", ["# A\nx\n", "# B\ny"]),
        ("document", ["Found:\n", '[{"a": "x, ]"}, ', '{"b": [1, 2]}]\n', "So"]),
        ("document", ["a <b> c\nx < y\n[not closed {"]),
        ("field", ["Likes: a\nmore\n", "- Dislikes: b\nno label\n"]),
        ("field", ["问题：甲\n", "答案：乙"]),
    ],
)
def test_pieces_of_real_prompts(granularity: str, parts: list[str]) -> None:
    text = "".join(parts)
    assert [text[a:b] for a, b in partition(text, granularity)] == parts
