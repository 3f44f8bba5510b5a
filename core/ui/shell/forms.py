"""A member's form, drawn from its declaration: one widget a field, by the field's kind. Knows no family."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.family import Field
from core.records import Option
from core.ui.shell import state


def given(member: str, fields: Sequence[Field]) -> dict[str, Option]:
    """What the session holds for each field, else its default; draws nothing. Hidden fields are left out."""
    return {
        field.name: state.FIELD(member, field.name).get(field.default) for field in fields if not field.hidden
    }


def ask_options(member: str, fields: Sequence[Field]) -> dict[str, Option]:
    """Draw the fields of the member called `member` and return what they say."""
    said: dict[str, Option] = {}
    for field in fields:
        if field.hidden:
            continue
        asked = field.only_with is None or said.get(field.only_with[0]) == field.only_with[1]
        said[field.name] = _widget(member, field) if asked else field.default
    return said


def _widget(member: str, field: Field) -> Option:
    key, about = state.FIELD(member, field.name).name, field.description or None
    if field.kind == "flag":
        return st.checkbox(field.label, bool(field.default), key=key, help=about, persist_state="session")
    if field.kind == "number":
        low, high, start = field.minimum, field.maximum, int(field.default or field.minimum)
        number = st.number_input(field.label, low, high, start, key=key, help=about, persist_state="session")
        return int(number)
    if field.kind == "choice":
        labels = dict(field.choices)
        names = list(labels)
        if len(names) == 2:  # both are seen at once
            picked = st.radio(
                field.label,
                names,
                names.index(str(field.default)),
                format_func=labels.__getitem__,
                key=key,
                help=about,
                horizontal=True,
                persist_state="session",
            )
            return picked or field.default
        chosen = st.selectbox(
            field.label,
            names,
            names.index(str(field.default)),
            format_func=labels.__getitem__,
            key=key,
            help=about,
            persist_state="session",
        )
        return chosen or field.default
    draw = st.text_area if field.kind == "text" else st.text_input
    return draw(field.label, str(field.default or ""), key=key, help=about, persist_state="session") or ""
