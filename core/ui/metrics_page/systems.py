"""What is compared on the Metrics page: a model's answers, to the examples or to the newest edit of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from core.records import Example, ModelSpec
from core.store.keys import model_key
from core.store.workspace import Workspace
from core.ui.catalog import catalog, title
from core.ui.compare_page.choice import variants
from core.ui.model_box import chosen
from core.ui.services import service

KEY = "metrics systems"


@dataclass(frozen=True)
class System:
    """A column of the results."""

    spec: ModelSpec
    edited: bool = False

    @property
    def label(self) -> str:
        return f"{title(self.spec)}, edited prompts" if self.edited else title(self.spec)


def known(here: Workspace, dataset_id: str) -> tuple[ModelSpec, ...]:
    """The model in use first, then every other one that has answered something in this dataset."""
    answered = set(here.responses(dataset_id)["model_key"])
    first = service().resolve(chosen())
    others = [service().resolve(one) for spec in catalog().specs() for one in variants(spec)]
    listed = {model_key(spec): spec for spec in (first, *others)}
    return tuple(spec for key, spec in listed.items() if spec == first or key in answered)


def edits(rows: Sequence[Example], every: Sequence[Example]) -> dict[str, Example]:
    """The newest child of each row that has one, with the row's own target: prompts of another version."""
    newest = {example.parent_id: example for example in every if example.parent_id}
    return {row.id: replace(newest[row.id], target=row.target) for row in rows if row.id in newest}


def draw(here: Workspace, dataset_id: str, has_edits: bool) -> tuple[System, ...]:
    """Draw the menu of systems; at least one is always returned."""
    specs = known(here, dataset_id)
    options = {system.label: system for spec in specs for system in _both(spec, has_edits)}
    held = [name for name in st.session_state.get(KEY, []) if name in options]
    if KEY in st.session_state and held != st.session_state[KEY]:
        st.session_state[KEY] = held
    names = st.multiselect(
        "Models",
        list(options),
        default=None if KEY in st.session_state else list(options)[:1],
        max_selections=4,
        key=KEY,
        persist_state="session",
        width=330,
        help="Those that have answered here. Two or more are compared row by row.",
    )
    return tuple(options[name] for name in names) or (next(iter(options.values())),)


def _both(spec: ModelSpec, has_edits: bool) -> tuple[System, ...]:
    return (System(spec), System(spec, edited=True)) if has_edits else (System(spec),)
