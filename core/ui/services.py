"""The one `Service` of this process and who is asking: cached by `st.cache_resource`, shared by all sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import streamlit as st

if TYPE_CHECKING:
    from core.service import Service


@st.cache_resource(show_spinner=False)
def service() -> Service:
    """The process's service: one `ModelManager`, one worker a device, one store."""
    from core.service import Service
    from core.settings import settings

    return Service(settings())


def owner() -> str:
    """Name of this browser session, for whose jobs are whose."""
    if "owner" not in st.session_state:
        import uuid

        st.session_state["owner"] = uuid.uuid4().hex
    return cast(str, st.session_state["owner"])
