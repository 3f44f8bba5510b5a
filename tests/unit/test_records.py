"""What an example says of itself: its right answers, and what it is called."""

from __future__ import annotations

from typing import Any

import pytest

from core.records import Example


@pytest.mark.parametrize(
    ("target", "kept", "targets"),
    [
        (None, None, ()),
        ("", None, ("",)),
        ("red", None, ("red",)),
        ("red", ["red", "blue"], ("red", "blue")),
        ("typed over", ["red", "blue"], ("typed over",)),
        (None, ["red", "blue"], ()),
        ("red", "red", ("red",)),
        ("red", ["red", 3], ("red",)),
    ],
)
def test_right_answers(target: str | None, kept: Any, targets: tuple[str, ...]) -> None:
    fields = {} if kept is None else {"targets": kept}
    assert Example("a", "p", target, fields=fields).targets == targets


@pytest.mark.parametrize(
    ("name", "fields", "called"),
    [
        ("dc85ee978c9ffb5bd307", {"called": " question 7 "}, "question 7"),
        ("dc85ee978c9ffb5bd307", {"called": "  "}, "Analyze a menu."),
        ("aB3_x-9Qz1kL", {}, "Analyze a menu."),
        ("fewshot-mistake-v10", {}, "fewshot-mistake-v10"),
        ("seed_task_0", {}, "seed_task_0"),
        ("dc85ee978c9ffb5bd307", {"called": 7}, "Analyze a menu."),
    ],
)
def test_a_row_is_called_by_what_a_person_knows(name: str, fields: dict[str, Any], called: str) -> None:
    assert Example(name, "Analyze\n  a menu.", fields=fields).called == called


def test_first_words_are_cut() -> None:
    assert Example("0" * 20, "word " * 100).called == "word " * 11 + "word…"
