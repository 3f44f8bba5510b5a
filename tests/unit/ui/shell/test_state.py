"""The keys of the session: each name once, held and given back as the type says."""

from __future__ import annotations

import pytest
import streamlit as st

from core.ui.shell import state
from core.ui.shell.state import Key, Keys


@pytest.fixture(autouse=True)
def session(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    held: dict[str, object] = {}
    monkeypatch.setattr(st, "session_state", held)
    return held


def test_no_two_keys_have_one_name() -> None:
    names = [key.name for key in vars(state).values() if isinstance(key, Key)]
    patterns = [family.pattern for family in vars(state).values() if isinstance(family, Keys)]
    assert len(names) > 100
    assert sorted({*names, *patterns}) == sorted([*names, *patterns])


def test_names_that_stand_in_links_and_bookmarks_stay() -> None:
    named = [state.MODEL, state.GRANULARITY, state.METHOD, state.COMPARED, state.VERSIONS]
    named += [state.DATASET, state.EXAMPLE, state.TARGET, state.WORKSPACE]
    assert [key.name for key in named] == [
        "model", "granularity", "method", "compared", "versions", "dataset", "example", "target", "workspace",
    ]  # fmt: skip


def test_a_key_holds_one_value(session: dict[str, object]) -> None:
    key: Key[int] = Key("count")
    assert not key.held and key.get() is None and key.get(3) == 3
    with pytest.raises(KeyError):
        key.there()
    assert key.setdefault(1) == 1 and key.setdefault(2) == 1
    key.set(5)
    assert key.held and key.there() == 5 and session == {"count": 5}
    assert key.pop() == 5 and key.pop(0) == 0 and session == {}


def test_a_family_has_a_key_for_each_place(session: dict[str, object]) -> None:
    family: Keys[str] = Keys("variable {} of {}")
    family("name", "a").set("Ada")
    assert session == {"variable name of a": "Ada"}
    assert family("name", "b").get() is None
