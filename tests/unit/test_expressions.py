"""A typed regular expression is applied, or refused in a sentence; it never hangs or eats the memory."""

from __future__ import annotations

import pytest

from core.errors import AppError
from core.expressions import matches


def test_it_finds_spans_and_empty_matches() -> None:
    assert matches(r"\d+", "a12b3") == ((1, 3), (4, 5))
    assert matches("(?=b)", "abab") == ((1, 1), (3, 3))
    assert matches("^b", "a\nb") == ((2, 3),)


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(abc", ["broken", "position 4", "missing )"]),
        ("a[b", ["broken", "position 3", "character set"]),
        ("*a", ["broken", "nothing to repeat"]),
        ("\\", ["broken"]),
        ("", ["empty"]),
        ("a" * 501, ["501", "500"]),
        ("(?R)", ["calls itself", "position 1"]),
        ("((?1)a|b)*", ["calls itself", "position 2"]),
        ("(?:(?:(?:a{900}){900}){900}){900}", ["repeats", "10,000"]),
        ("(a{2,200}){0,200}", ["40,000"]),
        ("(" * 400, ["regular expression"]),
    ],
)
def test_what_is_wrong_is_said(pattern: str, says: list[str]) -> None:
    with pytest.raises(AppError) as caught:
        matches(pattern, "abc")
    assert all(word in str(caught.value) for word in says), str(caught.value)


def test_an_expression_that_never_ends_is_stopped() -> None:
    with pytest.raises(AppError, match=r"had not ended after 0\.05 s on 61 characters"):
        matches("(a|aa)+$", "a" * 60 + "b", seconds=0.05)


def test_counts_that_are_escaped_or_small_are_fine() -> None:
    assert matches(r"\{900\}{2}|\d{4}-\d{2}", "2026-11") == ((0, 7),)
