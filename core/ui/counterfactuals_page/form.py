"""What to change, how often and from which seed: the menu of generators and the chosen one's fields."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.counterfactuals import GENERATORS, Generator
from core.counterfactuals import generator as by_name
from core.records import Option
from core.ui.shell import forms, state


@dataclass(frozen=True)
class FormChoices:
    """What the form says."""

    generator: Generator
    choices: dict[str, Option]
    limit: int
    seed: int


def choose_generator() -> FormChoices:
    """Draw the menu of generators and the chosen one's fields."""
    labels = {member.name: member.label for member in GENERATORS}
    name = st.selectbox(
        "What to change",
        list(labels),
        format_func=labels.__getitem__,
        key=state.GENERATOR.name,
        persist_state="session",
    )
    member = by_name(name or GENERATORS[0].name)
    st.caption(member.description)
    choices = forms.ask_options(member.name, member.fields)
    left, right = st.columns(2)
    limit = left.number_input(
        "At most, of each example", 1, 1000, 20, key=state.GENERATOR_LIMIT.name, persist_state="session"
    )
    seed = right.number_input(
        "Seed",
        0,
        2**31 - 1,
        0,
        key=state.GENERATOR_SEED.name,
        persist_state="session",
        help="The same seed makes the same changes again.",
    )
    return FormChoices(member, choices, int(limit), int(seed))
