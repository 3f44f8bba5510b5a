"""What is compared on the Metrics page: a model's answers, to the examples or to the newest edit of each, and
answers that stand in a column of the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from core.datasets.cells import text_paths
from core.records import Example, ModelSpec, SendAs
from core.runs import FILE, column_spec
from core.store.keys import model_key
from core.store.workspace import Workspace
from core.ui.shell.model_box import chosen
from core.ui.shell.model_list import catalog, title, variants
from core.ui.shell.services import service

KEY = "metrics systems"
MOST_AT_ONCE = 6


@dataclass(frozen=True)
class System:
    """A column of the results."""

    spec: ModelSpec
    send_as: SendAs = "plain"
    edited: bool = False

    @property
    def in_file(self) -> bool:
        """Its answers stand in the file: there is nothing to run, and nobody to ask for likelihoods."""
        return self.spec.backend == FILE

    @property
    def label(self) -> str:
        if self.in_file:
            return f"column {self.spec.name}"
        way = ", chat" if self.send_as == "chat" else ""
        return f"{title(self.spec)}{way}{', edited prompts' if self.edited else ''}"


def known(here: Workspace, dataset_id: str) -> tuple[System, ...]:
    """The model in use first, then every other that has answered something in this dataset; each as plain
    text, and in the ways in which its answers were asked for.
    """
    answers = here.responses(dataset_id)
    answered = set(zip(answers["model_key"], answers["send_as"]))
    first = service().resolve(chosen())
    others = [service().resolve(one) for spec in catalog().specs() for one in variants(spec)]
    listed = {model_key(spec): spec for spec in (first, *others)}
    ways: tuple[SendAs, ...] = ("plain", "chat")
    found = [System(spec, way) for key, spec in listed.items() for way in ways if (key, way) in answered]
    return tuple(found) if any(one.spec == first for one in found) else (System(first), *found)


def edits(rows: Sequence[Example], every: Sequence[Example]) -> dict[str, Example]:
    """The newest child of each row that has one, with the row's own target: prompts of another version."""
    newest = {example.parent_id: example for example in every if example.parent_id}
    return {row.id: replace(newest[row.id], target=row.target) for row in rows if row.id in newest}


def draw(here: Workspace, dataset_id: str, every: Sequence[Example], has_edits: bool) -> tuple[System, ...]:
    """Draw the menu of systems; at least one is always returned."""
    systems = [one for system in known(here, dataset_id) for one in _both(system, has_edits)]
    systems += [System(column_spec(path)) for path in text_paths(every)]
    options = {system.label: system for system in systems}
    held = [name for name in st.session_state.get(KEY, []) if name in options]
    if KEY in st.session_state and held != st.session_state[KEY]:
        st.session_state[KEY] = held
    names = st.multiselect(
        "Whose answers",
        list(options),
        default=None if KEY in st.session_state else list(options)[:1],
        max_selections=MOST_AT_ONCE,
        key=KEY,
        persist_state="session",
        width=330,
        help="Models that have answered here, and columns of the file that hold answers. Two or more are compared "
        "row by row.",
    )
    return tuple(options[name] for name in names) or (next(iter(options.values())),)


def _both(system: System, has_edits: bool) -> tuple[System, ...]:
    return (system, replace(system, edited=True)) if has_edits else (system,)
