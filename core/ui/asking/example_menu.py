"""The top line of every page about one example: which one is open, and the link to it."""

from __future__ import annotations

import streamlit as st

from core.records import Example
from core.ui.asking import versions
from core.ui.shell import copy_link, library, state
from core.ui.shell.row_names import row_names


def choose_example() -> Example:
    """Draw the menu of examples. Returns the one that is open."""
    versions.settle_boxes()
    current = library.example()
    listed = library.examples()
    options = list(listed) if current.id in listed else [current.id, *listed]
    names = row_names([current, *listed.values()] if current.id not in listed else listed.values())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Example",
            options,
            index=options.index(current.id),
            format_func=lambda one: names.get(one, one),
            key=state.OPEN_EXAMPLE(current.id).name,
            width=420,
        )
        copy_link.button()
    if chosen != current.id:
        library.open_example(chosen)
        st.rerun()
    return current
