"""Small changes by hand, and what every one of them keeps: the words that are no label."""

from __future__ import annotations

import pytest

from core.counterfactuals.harmless import HARMLESS, HarmlessChange, changed
from core.errors import AppError

SHOTS = "Classify it. Be brief.\n\nQ: hot\nA: warm\n\nQ: ice\nA: cold\n\nQ: sun\nA:"


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("", SHOTS),
        ("spaces", SHOTS.replace("it. Be", "it.  Be")),
        ("blank lines", SHOTS.replace("\n\n", "\n\n\n")),
        ("no blank lines", SHOTS.replace("\n\n", "\n")),
        ("order", "Classify it. Be brief.\n\nQ: ice\nA: cold\n\nQ: hot\nA: warm\n\nQ: sun\nA:"),
        ("labels", SHOTS.replace("Q:", "Question:").replace("A:", "Answer:")),
    ],
)
def test_each_change_by_hand(name: str, made: str) -> None:
    assert changed(SHOTS, name) == made


def test_capitals_are_kept_and_turned() -> None:
    assert changed("QUESTION: x\nInput: y", "labels") == "Q: x\nText: y"
    assert changed("Input: y\nOUTPUT: z", "case") == "INPUT: y\nOutput: z"
    assert changed("no label here", "case") == "No label here"


def test_what_changes_nothing_says_so() -> None:
    for name in ("order", "labels", "no blank lines", "blank lines"):
        assert changed("one line", name) is None
    assert changed("", "spaces") is None and changed("", "case") is None
    with pytest.raises(AppError, match="There are: spaces"):
        changed("x", "magic")


@pytest.mark.parametrize("rule", HARMLESS, ids=lambda rule: rule.name)
@pytest.mark.parametrize(
    "prompt",
    [SHOTS, '{"a": 1}\n\n한국어: 네. 그래요.\nشكرا: نعم', "http://x.y/z: a", "\n\n", ": :", "A:\nA:\n\nA: b"],
)
def test_no_prompt_breaks_a_rule_and_the_same_comes_of_it_twice(rule: HarmlessChange, prompt: str) -> None:
    name = rule.name
    made = changed(prompt, name)
    assert made == changed(prompt, name) and made != prompt
