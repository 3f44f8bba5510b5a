from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.models.stop_texts import first, sure


def test_by_hand() -> None:
    assert (first("ab\nc", ["\n", "b"]), first("abc", ["x", ""])) == (1, None)
    assert sure("12345", ["4567"]) == "123"
    assert sure("1234567", ["4567"]) == "123"
    assert sure("aab", ["aabaac", "b!"]) == ""
    assert sure("abc", []) == "abc"


@given(st.text("ab", max_size=30), st.lists(st.text("ab", min_size=1, max_size=5), max_size=3))
def test_what_is_shown_is_never_taken_back_and_nothing_sure_is_held(text: str, stops: list[str]) -> None:
    ended = next((n for n in range(len(text) + 1) if first(text[:n], stops) is not None), None)
    final = text if ended is None else text[: first(text[:ended], stops)]
    for length in range(len(text) + 1 if ended is None else ended):
        shown = sure(text[:length], stops)
        assert final.startswith(shown)
        held = text[len(shown) : length]
        assert not held or any(mark.startswith(held) for mark in stops)
