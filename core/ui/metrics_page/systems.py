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
from core.ui.shell import state

MOST_AT_ONCE = 6


def choose_systems(
    here: Workspace, dataset_id: str, every: Sequence[Example], has_edits: bool
) -> tuple[System, ...]:
    """Draw the menu of systems; at least one is always returned."""
    systems = [one for system in known_systems(here, dataset_id) for one in _both(system, has_edits)]
    systems += [System(column_spec(path)) for path in text_paths(every)]
    options = {system.label: system for system in systems}
    before = state.METRICS_SYSTEMS.get()
    if before is not None and any(name not in options for name in before):
        state.METRICS_SYSTEMS.set([name for name in before if name in options])
    names = st.multiselect(
        "Whose answers",
        list(options),
        default=None if before is not None else list(options)[:1],
        max_selections=MOST_AT_ONCE,
        key=state.METRICS_SYSTEMS.name,
        persist_state="session",
        width=330,
        help="Models that have answered here, and columns of the file that hold answers. Two or more are compared "
        "row by row.",
    )
    return tuple(options[name] for name in names) or (next(iter(options.values())),)


def _both(system: System, has_edits: bool) -> tuple[System, ...]:
    return (system, replace(system, edited=True)) if has_edits else (system,)
