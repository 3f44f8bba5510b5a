"""A generator's form, drawn from its declaration: one widget a field, by the field's kind."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.counterfactuals import GENERATORS, Field, Generator
from core.counterfactuals import generator as by_name
from core.records import Option


@dataclass(frozen=True)
class FormChoices:
    """What the form says."""

    generator: Generator
    choices: dict[str, Option]
    limit: int
    seed: int


def draw() -> FormChoices:
    """Draw the menu of generators and the chosen one's fields."""
    labels = {member.name: member.label for member in GENERATORS}
    name = st.selectbox(
        "What to change",
        list(labels),
        format_func=labels.__getitem__,
        key="generator",
        persist_state="session",
    )
    member = by_name(name or GENERATORS[0].name)
    st.caption(member.description)
    choices: dict[str, Option] = {}
    for field in member.fields:
        asked = field.only_with is None or choices.get(field.only_with[0]) == field.only_with[1]
        choices[field.name] = _widget(member, field) if asked else field.default
    left, right = st.columns(2)
    limit = left.number_input("At most, of each example", 1, 1000, 20, key="limit", persist_state="session")
    seed = right.number_input(
        "Seed",
        0,
        2**31 - 1,
        0,
        key="generator seed",
        persist_state="session",
        help="The same seed makes the same changes again.",
    )
    return FormChoices(member, choices, int(limit), int(seed))


def _widget(member: Generator, field: Field) -> Option:
    key = f"{member.name} {field.name}"
    about = field.description or None
    if field.kind == "flag":
        return st.checkbox(field.label, bool(field.default), key=key, help=about, persist_state="session")
    if field.kind == "number":
        low, high = field.minimum or 0, field.maximum or 1000
        start = int(field.default or low)
        return int(
            st.number_input(field.label, low, high, start, key=key, help=about, persist_state="session")
        )
    if field.kind == "choice":
        labels = dict(field.choices)
        names = list(labels)
        start = names.index(str(field.default))
        chosen = st.selectbox(
            field.label,
            names,
            start,
            format_func=labels.__getitem__,
            key=key,
            help=about,
            persist_state="session",
        )
        return chosen or field.default
    draw = st.text_area if field.kind == "text" else st.text_input
    return draw(field.label, str(field.default or ""), key=key, help=about, persist_state="session") or ""
