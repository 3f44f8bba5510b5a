"""The form for a model on another machine: its kind, its address, its token.

The token goes from the field straight into the process's memory (`core.models.remote.secrets`); the field is
emptied, and neither the session, the link nor the database ever holds it.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import quote, urlsplit

import streamlit as st

from core.errors import AppError
from core.models import BACKENDS
from core.models.remote.secrets import SECRETS, base_address
from core.records import ModelSpec
from core.ui.models_page import loading
from core.ui.shell import problem

_KINDS = {member.name: member for member in BACKENDS if member.remote}
_EXAMPLES = {
    "openai_compatible": "http://localhost:8000/v1",
    "lit_server": "http://localhost:8080",
    "gemini": "https://generativelanguage.googleapis.com",
}
_TURN = "remote-token-turn"
"""Counts the tokens taken: each has a field of its own, so that the browser forgets it too."""


def draw_server_form() -> None:
    """Draw the form; what is wrong with it stands under it."""
    kind = st.selectbox(
        "Kind of server",
        list(_KINDS),
        index=list(_KINDS).index("openai_compatible"),
        format_func=lambda name: _KINDS[name].label,
        key="remote-kind",
    )
    st.caption(_KINDS[kind].description)
    one, other = st.columns(2)
    one.text_input("Address", key="remote-address", placeholder=_EXAMPLES[kind])
    named = kind != "lit_server"
    other.text_input(
        "Model's name on that server",
        key="remote-model",
        disabled=not named,
        help="Leave it empty where the server has only one."
        if named
        else "A LIT model server has one model.",
    )
    one.text_input("Name here", key="remote-name", placeholder="as it shall be called in menus")
    other.text_input(
        "Access token",
        type="password",
        key=_token_key(),
        autocomplete="off",
        help="Kept in this process's memory until it ends; never stored or shown.",
    )
    address = str(st.session_state.get("remote-address", "")).strip()
    if _in_the_open(address) and st.session_state.get(_token_key()):
        st.warning("This address is not encrypted (http): others on the network could read the token.")
    st.button("Connect", key="remote-connect", on_click=_connect, disabled=loading.is_loading())
    if (error := st.session_state.pop("remote-problem", None)) is not None:
        problem.show_error(error)


def _token_key() -> str:
    return f"remote-token {st.session_state.get(_TURN, 0)}"


def _in_the_open(address: str) -> bool:
    """Whether a token for `address` would travel unencrypted beyond this machine."""
    parts = urlsplit(address)
    if parts.scheme != "http" or not parts.hostname:
        return False
    try:
        return not ip_address(parts.hostname).is_loopback
    except ValueError:
        return parts.hostname != "localhost"


def _connect() -> None:
    """Before the page is drawn again: take the token out of its field, and start connecting."""
    state = st.session_state
    token = str(state.pop(_token_key(), ""))
    state[_TURN] = state.get(_TURN, 0) + 1
    model = str(state.get("remote-model", "")).strip()
    kind = str(state.get("remote-kind"))
    try:
        address = base_address(str(state.get("remote-address", "")).partition("#")[0])
        if token:
            SECRETS.remember(address, token)
        path = f"{address}#{quote(model, safe='/:@.')}" if model and kind != "lit_server" else address
        name = str(state.get("remote-name", "")).strip() or model or urlsplit(address).netloc
        loading.start_loading(ModelSpec(name[:60], path, backend=kind, dtype="", device="remote"))
    except AppError as error:
        state["remote-problem"] = error
