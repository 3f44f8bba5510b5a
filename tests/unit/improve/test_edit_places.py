"""Places of an edit: all off is the old text, all on the new one, and each reads as what a person changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.improve.edit_places import By, edit_places

TEXTS = st.text("ab \n\r.é", max_size=40)


@given(TEXTS, TEXTS, st.sampled_from(["word", "line", None]))
def test_all_off_is_old_and_all_on_is_new(old: str, new: str, by: By | None) -> None:
    found = edit_places(old, new, by)
    size = len(found.places)
    assert found.mixed([False] * size) == old
    assert found.mixed([True] * size) == new
    assert (size == 0) == (old == new)


def test_each_place_is_turned_alone() -> None:
    old = "Answer the question.\nBe brief.\nUse French.\n"
    new = "Answer the hard question.\nBe brief.\nUse plain English.\nThink first.\n"
    found = edit_places(old, new)
    said = ["+ “hard”", "“French” → “plain English”", "+ “Think first.”"]
    assert [place.label for place in found.places] == said
    assert [place.line for place in found.places] == [1, 3, 4]
    assert found.mixed([True, False, False]) == "Answer the hard question.\nBe brief.\nUse French.\n"


def test_by_line_a_place_is_whole_lines() -> None:
    found = edit_places("a b\nc\nd e\n", "a x\nc\nd y\n", "line")
    assert [(place.old, place.new) for place in found.places] == [("a b\n", "a x\n"), ("d e\n", "d y\n")]


def test_a_sentence_that_was_rewritten_is_one_place() -> None:
    found = edit_places("Please write the very short answer.\n", "Kindly give the quite long answer.\n")
    assert len(found.places) == 1


def test_many_places_are_looked_at_by_line() -> None:
    old = " ".join(f"keep this text w{i}" for i in range(20))
    new = " ".join(f"keep this text v{i}" for i in range(20))
    assert len(edit_places(old, new, "word").places) == 20
    assert len(edit_places(old, new).places) == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [("a\n\nb", "a\n\n\nb", "white space"), ("", "x", "+ “x”"), ("x\ny", "y", "− “x”")],
)
def test_labels(old: str, new: str, said: str) -> None:
    assert [place.label for place in edit_places(old, new, "line").places] == [said]
