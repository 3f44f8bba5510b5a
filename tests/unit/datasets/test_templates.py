"""Variables of a template: a table of cases, and that any text can be escaped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets import escape, render, variables
from core.datasets.templates import template_of
from core.records import Example

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


@pytest.mark.parametrize(
    ("prompt", "fields", "found"),
    [
        ("Dear Ada", {"template": "Dear {name}", "name": "Ada"}, "Dear {name}"),
        ("Dear {name}", {"template": "Dear {name}"}, "Dear {name}"),
        ("Dear Bo", {"template": "Dear {name}", "name": "Ada"}, ""),  # edited since
        ("Dear", {"template": "Dear"}, ""),
        ("Dear 7", {"template": "Dear {name}", "name": 7}, "Dear {name}"),
        ("Dear", {}, ""),
    ],
)
def test_the_template_of_an_example_gives_its_prompt(
    prompt: str, fields: dict[str, object], found: str
) -> None:
    assert template_of(Example("e", prompt, fields=fields)) == found
