"""Members found by name, options with defaults and checks: once, for every family."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from core.errors import AppError
from core.family import Field, find, resolve


@dataclass(frozen=True)
class Fruit:
    name: str
    label: str = ""
    description: str = ""


FIELDS = (
    Field(name="steps", label="Steps", kind="number", default=20, minimum=2, maximum=200),
    Field(name="way", label="Way", kind="choice", default="up", choices=(("up", "Up"), ("down", "Down"))),
    Field(name="once", label="Once", kind="flag", default=False),
    Field(name="text", label="Text", kind="line", default=""),
)


def test_a_member_is_found_by_name_and_an_unknown_one_lists_the_known() -> None:
    members = (Fruit("apple"), Fruit("pear"))
    assert find("fruit", members, "pear") is members[1]
    with pytest.raises(AppError, match="There is no fruit called 'fig'") as caught:
        find("fruit", members, "fig")
    assert caught.value.hint == "Available: apple, pear."


def test_defaults_fill_what_was_not_said() -> None:
    said = resolve("Walk", FIELDS, {"steps": 3})
    assert said == {"steps": 3, "way": "up", "once": False, "text": ""}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"stepz": 3}, "Walk has no option 'stepz'; its options: steps, way, once, text."),
        ({"steps": 1}, "“Steps” should be 2 to 200, but it is 1."),
        ({"steps": 201}, "“Steps” should be 2 to 200, but it is 201."),
        ({"steps": True}, "“Steps” should be 2 to 200, but it is True."),
        ({"steps": "3"}, "“Steps” should be 2 to 200, but it is '3'."),
        ({"way": "left"}, "“Way” should be one of up, down, but it is 'left'."),
        ({"once": 1}, "“Once” should be true or false, but it is 1."),
    ],
)
def test_what_a_field_does_not_take_is_a_sentence(given: dict, sentence: str) -> None:
    with pytest.raises(AppError) as caught:
        resolve("Walk", FIELDS, given)
    assert caught.value.message == sentence
