"""Who has which mark: a method by its place in the family, a model and a version by when they were first shown.

So a thing keeps one colour, one sign and one hatch on every page of a visit (`core.figures.marks`).
"""

from __future__ import annotations

from core.figures.marks import CONTROL, Mark, mark
from core.salience import METHODS
from core.ui.shell import state
from core.ui.shell.state import Key


def of_method(name: str) -> Mark:
    """The mark of a salience method; that of a control for anything that is none."""
    names = [member.name for member in METHODS]
    return mark(names.index(name)) if name in names else CONTROL


def of_search() -> Mark:
    """The mark of *Find the cause*, which is no map: the one after the methods'."""
    return mark(len(METHODS))


def of_model(title: str) -> Mark:
    """The mark of a model (with its precision), by its title."""
    return mark(_place(state.MARKS_OF_MODELS, title))


def of_version(example_id: str) -> Mark:
    """The mark of a version of a prompt."""
    return mark(_place(state.MARKS_OF_VERSIONS, example_id))


def _place(kind: Key[dict[str, int]], name: str) -> int:
    seen = kind.setdefault({})
    return seen.setdefault(name, len(seen))
