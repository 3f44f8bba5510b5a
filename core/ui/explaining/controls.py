"""The controls of every page with maps: how the text is cut, by which method, and how the map is drawn.

What was chosen holds on all these pages; granularity and method stand in the link. Knows no model and no map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import streamlit as st

from core.records import Reduce
from core.salience import METHODS, Method
from core.segments import GRANULARITIES, Granularity
from core.ui.shell import forms, state
from core.ui.shell.state import Key

DEFAULT_GRANULARITY = "line"
DEFAULT_PATTERN = r"[.;]\s+"


@dataclass(frozen=True, slots=True)
class Cut:
    """How both texts are cut into parts; `pattern` is the person's own expression, for "custom" alone."""

    granularity: str
    pattern: str | None = None

    @property
    def unit(self) -> str:
        """What a list calls one part."""
        return "part" if self.granularity == "custom" else self.granularity


@dataclass(frozen=True, slots=True)
class Look:
    """How a map is drawn: nothing of it asks the model again."""

    strength: float
    style: Literal["highlight", "underline"]
    reduce: Reduce


def _said(key: Key[str], members: Sequence[Granularity | Method]) -> str | None:
    """What a menu says, or the link (by its label), before the menu has been drawn for the first time."""
    if key.held:
        return str(key.there())
    label = st.query_params.get(key.name)
    return next((member.name for member in members if member.label == label), None)


def cut() -> Cut:
    """The chosen one; it may be asked for before the controls are drawn."""
    name = _said(state.GRANULARITY, GRANULARITIES)
    if name not in [g.name for g in GRANULARITIES]:
        return Cut(DEFAULT_GRANULARITY)
    return Cut(name, state.PATTERN.get(DEFAULT_PATTERN) if name == "custom" else None)


def method() -> Method:
    """As `cut`."""
    name = _said(state.METHOD, METHODS)
    return next((m for m in METHODS if m.name == name), METHODS[0])


_FINER = ("block", "paragraph", "line", "sentence", "word", "token")


def finer(than: Cut) -> Granularity | None:
    """The next finer way to cut a text; None below tokens and for the person's own expression."""
    if than.granularity not in _FINER[:-1]:
        return None
    name = _FINER[_FINER.index(than.granularity) + 1]
    return next(g for g in GRANULARITIES if g.name == name)


def choose_granularity(name: str) -> None:
    """Make `name` the chosen granularity, from the next drawing of the controls on."""
    state.CHOOSE_GRANULARITY.set(name)


def look() -> Look:
    """As `cut`."""
    return Look(
        float(state.STRENGTH.get(0.5)),
        cast(Literal["highlight", "underline"], state.LOOK.get("highlight")),
        cast(Reduce, state.REDUCE.get("sum")),
    )


def draw_map_controls(*, slim: bool = False) -> None:
    """Draw them in the container that is open; `slim`: without their names above them."""
    labels: Literal["visible", "collapsed"] = "collapsed" if slim else "visible"
    names = [g.name for g in GRANULARITIES]
    if (wanted := state.CHOOSE_GRANULARITY.pop("")) in names:
        state.GRANULARITY.set(wanted)
    chosen = st.selectbox(
        "Granularity",
        names,
        index=names.index(DEFAULT_GRANULARITY),
        format_func={g.name: g.label for g in GRANULARITIES}.__getitem__,
        key=state.GRANULARITY.name,
        bind="query-params",
        width=140 if slim else 150,
        label_visibility=labels,
    )
    if chosen == "custom":
        st.text_input(
            "Part ends where this matches",
            DEFAULT_PATTERN,
            key=state.PATTERN.name,
            persist_state="session",
            help="A regular expression. It is tried on the prompt and on the answer.",
            width=190,
        )
    st.selectbox(
        "Method",
        [m.name for m in METHODS],
        format_func={m.name: m.label for m in METHODS}.__getitem__,
        key=state.METHOD.name,
        bind="query-params",
        width=190,
        label_visibility=labels,
        help="  \n".join(f"**{m.label}**: {m.description}" for m in METHODS),
    )
    with st.popover("Colours"):
        _look(method())


def _look(of: Method) -> None:
    """What changes how the map is drawn; the method's own options are drawn from its declaration."""
    st.slider("Colour strength", 0.0, 1.0, 0.5, 0.05, key=state.STRENGTH.name, persist_state="session")
    st.radio(
        "Show influence as",
        ["highlight", "underline"],
        format_func=str.capitalize,
        key=state.LOOK.name,
        persist_state="session",
        horizontal=True,
    )
    st.radio(
        "A part's score is, of its tokens' scores, the",
        ["sum", "mean", "max"],
        format_func={"sum": "sum", "mean": "mean", "max": "largest"}.__getitem__,
        key=state.REDUCE.name,
        persist_state="session",
        horizontal=True,
    )
    forms.ask_options(of.name, of.options)
