"""The Python half of the token view: who decides the selection, what parts are called, what is said."""

from __future__ import annotations

from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.figures.captions import NOT_TRUTH
from core.records import Role, Segment
from core.token_view.names import part_names
from core.token_view.texts import words
from core.ui.salience_text import protocol


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    state: dict[str, Any] = {}
    monkeypatch.setattr(st, "session_state", state)
    return state


def clicked(session: dict[str, Any], turn: str, *indices: int) -> None:
    session["map"] = {"selection": {"indices": list(indices), "turn": turn}}


def test_the_first_selection_is_pythons(session: dict[str, Any]) -> None:
    assert protocol.turn("map", "map", "a", (2,)) == ("a:1", (2,), (2,))


def test_a_click_stands_although_the_page_still_asks_for_what_it_asked(session: dict[str, Any]) -> None:
    turn, _, _ = protocol.turn("map", "map", "a", (2,))
    clicked(session, turn, 0, 1)
    assert protocol.turn("map", "map", "a", (2,)) == (turn, (2,), (0, 1))
    assert protocol.turn("map", "map", "a", (0, 1)) == (turn, (2,), (0, 1))


def test_another_wish_of_the_page_wins_and_clicks_of_before_are_past(session: dict[str, Any]) -> None:
    turn, _, _ = protocol.turn("map", "map", "a", (2,))
    clicked(session, turn, 1)
    assert protocol.turn("map", "map", "a", (0,)) == ("a:2", (0,), (0,))
    assert protocol.turn("map", "map", "a", (0,)) == ("a:2", (0,), (0,))
    clicked(session, "a:2", 1)
    assert protocol.turn("map", "map", "a", (0,)) == ("a:2", (0,), (1,))


def test_another_response_starts_anew(session: dict[str, Any]) -> None:
    turn, _, _ = protocol.turn("map", "map", "a", (2,))
    clicked(session, turn, 1)
    assert protocol.turn("map", "map", "b", (2,)) == ("b:2", (2,), (2,))


def test_linked_views_know_the_click_of_the_one_with_the_response(session: dict[str, Any]) -> None:
    turn, _, _ = protocol.turn("both", "map", "a", (2,))
    clicked(session, turn, 1)
    assert protocol.turn("both", None, "a", (2,)) == (turn, (2,), (1,))


def test_a_selection_outlives_the_pages_being_left(session: dict[str, Any]) -> None:
    turn, _, _ = protocol.turn("map", "map", "a", (2,))
    clicked(session, turn, 1)
    protocol.turn("map", "map", "a", (1,))
    del session["map"]
    assert protocol.turn("map", "map", "a", (1,)) == (turn, (2,), (1,))


def test_callbacks_read_selection_and_action(session: dict[str, Any]) -> None:
    assert protocol.choice("map") is None
    session["map"] = {"selection": {"indices": [1, 3]}, "action": {"action": "remove", "part": 4}}
    assert protocol.choice("map") == protocol.SegmentChoice((1, 3), protocol.Action("remove", 4))


def _segments(*texts: str, role: Role = Role.PROMPT) -> tuple[Segment, ...]:
    return tuple(Segment(i, text, (0, 0), (i, i + 1), role) for i, text in enumerate(texts))


def test_lines_are_called_by_their_number_in_the_text() -> None:
    assert part_names(_segments("a\n\n", "b\r\n", "c"), "line") == ["line 1", "line 3", "line 4"]
    assert part_names(_segments("\n\na\n", "b"), "line") == ["line 3", "line 4"]


def test_words_are_called_by_their_line_and_others_are_counted() -> None:
    assert part_names(_segments("a ", "b\n", "c ", "\n"), "word") == ["line 1", "line 1", "line 2", "line 2"]
    template = Segment(0, "<user>\n", (0, 0), (0, 1), Role.TEMPLATE)
    assert part_names((template, *_segments("A. ", "B.")), "sentence")[1:] == ["sentence 1", "sentence 2"]


@pytest.mark.parametrize("signed", [False, True])
def test_the_legend_tells_the_direction_of_the_scale_in_each_theme(signed: bool) -> None:
    light, dark = words(False, signed)["caption"], words(True, signed)["caption"]
    assert "Darker: the selected answer reacts more" in light and "Brighter: the selected" in dark
    assert light.endswith(NOT_TRUTH) and dark.endswith(NOT_TRUTH)
    assert ("Purple" in light) == signed


def test_it_mounts_on_a_page_without_anything_to_show() -> None:
    def page() -> None:
        from core.ui.salience_text import salience_text

        picked = salience_text(key="empty", empty="Nothing yet.")
        assert picked.indices == () and picked.action is None

    run = AppTest.from_function(page, default_timeout=60).run()
    assert not run.exception
