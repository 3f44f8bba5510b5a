"""What is compared on the Metrics page: a model's answers, to the examples or to the newest edit of each, and
answers that stand in a column of the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core.datasets.cells import text_paths
from core.records import Example
from core.runs import column_spec
from core.store.workspace import Workspace
from core.ui.asking.answerers import System, known_systems

KEY = "metrics systems"
MOST_AT_ONCE = 6


def choose_systems(
    here: Workspace, dataset_id: str, every: Sequence[Example], has_edits: bool
) -> tuple[System, ...]:
    """Draw the menu of systems; at least one is always returned."""
    systems = [one for system in known_systems(here, dataset_id) for one in _both(system, has_edits)]
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
