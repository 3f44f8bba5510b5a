"""Above every page: that something is not being kept, and why, for as long as that is so."""

from __future__ import annotations

import streamlit as st

from core.ui.shell import problem
from core.ui.shell.services import service


def warn_what_is_not_kept() -> None:
    """Nothing where all is well."""
    fault = service().storage_fault()
    if fault is not None:
        st.warning(problem.in_markdown(fault), icon=":material/hard_drive:")
    unkept = service().unkept
    if unkept is not None and (fault is None or fault.code != unkept.code):
        st.warning(
            f"What was made last is shown, but it could not be kept. {problem.in_markdown(unkept)}",
            icon=":material/hard_drive:",
        )
