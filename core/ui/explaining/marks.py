"""Who has which mark: a method by its place in the family, a model and a version by when they were first shown.

So a thing keeps one colour, one sign and one hatch on every page of a visit (`core.figures.marks`).
"""

from __future__ import annotations

import streamlit as st

from core.figures.marks import CONTROL, Mark, mark
from core.salience import METHODS


def of_method(name: str) -> Mark:
    """The mark of a salience method; that of a control for anything that is none."""
    names = [member.name for member in METHODS]
    return mark(names.index(name)) if name in names else CONTROL


def of_model(title: str) -> Mark:
    """The mark of a model (with its precision), by its title."""
    return mark(_place("marks of models", title))


def of_version(example_id: str) -> Mark:
    """The mark of a version of a prompt."""
    return mark(_place("marks of versions", example_id))


def _place(kind: str, name: str) -> int:
    seen: dict[str, int] = st.session_state.setdefault(kind, {})
    return seen.setdefault(name, len(seen))
