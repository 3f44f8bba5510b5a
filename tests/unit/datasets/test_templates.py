"""Variables of a template: a table of cases, and that any text can be escaped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets import escape, render, variables

VALUES = {"dish": "soup", "טעם": "sweet", "_x1": "{dish}", "empty": ""}


@pytest.mark.parametrize(
    ("template", "names", "rendered"),
    [
        ("Is {dish} good?", ("dish",), "Is soup good?"),
        ("{dish}{dish} {empty}.", ("dish", "empty"), "soupsoup ."),
        ("{טעם}", ("טעם",), "sweet"),
        ("{_x1}", ("_x1",), "{dish}"),
        ("{unknown}", ("unknown",), "{unknown}"),
        ("{{dish}} is {dish}", ("dish",), "{dish} is soup"),
        ("{{{dish}}}", (), "{{dish}}"),
        ('{"a": {"b": {}}}', (), '{"a": {"b": {}}}'),
        ("{ dish } {0} {a.b} {a!r} {a:>3} {}", (), "{ dish } {0} {a.b} {a!r} {a:>3} {}"),
        ("plain", (), "plain"),
    ],
)
def test_cases(template: str, names: tuple[str, ...], rendered: str) -> None:
    assert variables(template) == names
    assert render(template, VALUES) == rendered


@given(st.text(st.sampled_from("{}ab_1 ")) | st.text())
def test_escaped_text_renders_to_itself(text: str) -> None:
    assert variables(escape(text)) == ()
    assert render(escape(text), {"a": "!", "b": "!", "_": "!"}) == text
