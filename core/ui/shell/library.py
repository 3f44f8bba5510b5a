"""Which workspace, dataset and example the person has open; all three stand in the link.

Prompt text never does. In hosted mode a first visit gets a workspace of its own, whose id in the link
cannot be guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.errors import AppError
from core.records import Example
from core.store.seeding import SAMPLES
from core.ui.shell.services import service

if TYPE_CHECKING:
    from core.store.workspace import Dataset, Workspace

MENU_LIMIT = 500
"""A menu of examples lists at most this many; the Dataset page finds the others."""


def workspace() -> Workspace:
    """The person's workspace: everybody's own one on a laptop, the one in the link when hosted."""
    store = service().store
    if not store.hosted:
        return store.workspace()
    name = st.query_params.get("workspace") or st.session_state.get("workspace")
    if name:
        try:
            found = store.workspace(name)
        except AppError:
            st.warning("This link's workspace does not exist (any more), so you have a new one.")
            found = store.new_workspace()
    else:
        found = store.new_workspace()
    st.session_state["workspace"] = found.id
    if st.query_params.get("workspace") != found.id:
        st.query_params["workspace"] = found.id
    return found


def dataset() -> Dataset:
    """The dataset in the link, or the first one."""
    here = workspace()
    listed = here.datasets()
    wanted = st.query_params.get("dataset") or st.session_state.get("dataset") or SAMPLES
    found = next((d for d in listed if d.id == wanted), listed[0])
    open_dataset(found.id)
    return found


def open_dataset(dataset_id: str) -> None:
    """Make `dataset_id` the one that every page shows."""
    st.session_state["dataset"] = dataset_id
    if dataset_id != SAMPLES:
        st.query_params["dataset"] = dataset_id
    elif "dataset" in st.query_params:
        del st.query_params["dataset"]


def examples() -> dict[str, Example]:
    """The examples of the open dataset by id, in order, at most `MENU_LIMIT`."""
    here = workspace()
    return {e.id: e for e in here.examples(dataset().id, limit=MENU_LIMIT)}


def example() -> Example:
    """The example in the link, or the first of the open dataset."""
    wanted = st.query_params.get("example") or st.session_state.get("example")
    if wanted:
        try:
            found = workspace().example(wanted)
        except AppError:
            pass
        else:
            # The menu of pages leads to a bare address; the link has to name what is shown.
            if st.query_params.get("example") != found.id:
                st.query_params["example"] = found.id
            return found
    listed = examples()
    if not listed:
        raise AppError(
            "This dataset has no examples yet.",
            hint="Write one in the Editor, or load a file on the Dataset page.",
        )
    return next(iter(listed.values()))


def empty() -> bool:
    """Whether there is no example to show: none in the link, and none in the open dataset."""
    try:
        example()
    except AppError:
        return True
    return False


def open_example(example_id: str) -> None:
    """Make `example_id` the one that every page shows, and put it into the link."""
    st.session_state["example"] = example_id
    st.query_params["example"] = example_id
