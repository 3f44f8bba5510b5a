"""The rule grammar as a table of cases, and what the rules do to a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.counterfactuals import generator, make
from core.counterfactuals.rules import Rule, parse
from core.errors import AppError
from core.records import Example


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("great -> terrible", [Rule("great", ("terrible",))]),
        ("great -> terrible | bad", [Rule("great", ("terrible", "bad"))]),
        ("a->b,c -> d\n\n  e → f \n", [Rule("a", ("b",)), Rule("c", ("d",)), Rule("e", ("f",))]),
        ('"a, b" -> "c -> d" | "e|f"', [Rule("a, b", ("c -> d", "e|f"))]),
        (r'"say \"hi\"" -> "a\\b"', [Rule('say "hi"', ("a\\b",))]),
        ('very -> ""', [Rule("very", ("",))]),
        ("two words -> one  word", [Rule("two words", ("one  word",))]),
        ("x-y -> a-b>c", [Rule("x-y", ("a-b>c",))]),
        ("좋은 -> 나쁜", [Rule("좋은", ("나쁜",))]),
        ('" a" -> " b "', [Rule(" a", (" b ",))]),
        ("a -> b | b", [Rule("a", ("b",))]),
    ],
)
def test_grammar(text: str, rules: list[Rule]) -> None:
    assert list(parse(text)) == rules


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "There is no rule yet"),
        (" \n,\n", "There is no rule yet"),
        ("great terrible", "Rule 1, “great terrible”, has no arrow"),
        ("a -> b\ngreat = bad", "Rule 2, “great = bad”, has no arrow"),
        ("a -> b -> c", "has 2 arrows"),
        (" -> b", "has nothing before its arrow"),
        ('"" -> b', "has nothing before its arrow"),
        ("a -> ", "has nothing to put in place"),
        ("a -> b |", "has nothing to put in place"),
        ("a | b -> c", "before the arrow"),
        ('a -> "b', "A quotation mark is not closed"),
        ("\n".join(f"a{i} -> b" for i in range(300)), "more than 200 rules"),
    ],
)
def test_a_bad_rule_is_told_in_a_sentence(text: str, told: str) -> None:
    with pytest.raises(AppError, match=told.replace("|", r"\|")):
        parse(text)


@given(st.text(max_size=60))
def test_any_text_parses_or_is_refused_with_a_sentence(text: str) -> None:
    try:
        rules = parse(text)
    except AppError:
        return
    assert all(rule.old and rule.new for rule in rules)


plain = st.text(alphabet='ab ,|"\\->', min_size=1, max_size=8)


@given(plain, st.lists(plain, min_size=1, max_size=3, unique=True))
def test_what_is_quoted_comes_back(old: str, new: list[str]) -> None:
    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    (rule,) = parse(f"{quoted(old)} -> {' | '.join(map(quoted, new))}")
    assert rule == Rule(old, tuple(new))


def replaced(prompt: str, rules: str, **choices) -> list[tuple[str, str]]:  # type: ignore[no-untyped-def]
    made = make(generator("word_replacer"), [Example("a", prompt)], {"rules": rules, **choices})
    return [(e.prompt, e.edit) for e in made.examples]


def test_case_is_kept() -> None:
    assert replaced("Great, GREAT and great. greatest", "great -> bad") == [
        ("Bad, BAD and bad. greatest", "“great” → “bad”, 3 places")
    ]
    assert replaced("Great and great", "great -> bad", keep_case=False)[0][0] == "Great and bad"


def test_one_replacement_at_a_time() -> None:
    assert replaced("a cat, a cat", "cat -> dog | cow", occurrences="each") == [
        ("a dog, a cat", "“cat” → “dog”, the 1st of 2"),
        ("a cat, a dog", "“cat” → “dog”, the 2nd of 2"),
        ("a cow, a cat", "“cat” → “cow”, the 1st of 2"),
        ("a cat, a cow", "“cat” → “cow”, the 2nd of 2"),
    ]


def test_parts_of_words_only_when_asked() -> None:
    assert replaced("eat great meat", "eat -> X")[0][0] == "X great meat"
    assert replaced("eat great meat", "eat -> X", whole_word=False)[0][0] == "X grX mX"
    assert replaced("ate", "eat -> X") == []
    assert replaced("很好吃", "好 -> 坏")[0][0] == "很坏吃"
    assert replaced("1 + 1", '"+" -> "-"')[0][0] == "1 - 1"


def test_a_word_taken_out_leaves_one_space() -> None:
    assert replaced("a very good very very day", 'very -> ""')[0][0] == "a good day"
