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
from core.ui.shell import loading, problem, state
from core.ui.shell.state import Key

_KINDS = {member.name: member for member in BACKENDS if member.remote}
_EXAMPLES = {
    "openai_compatible": "http://localhost:8000/v1",
    "lit_server": "http://localhost:8080",
    "gemini": "https://generativelanguage.googleapis.com",
}


def draw_server_form() -> None:
    """Draw the form; what is wrong with it stands under it."""
    kind = st.selectbox(
        "Kind of server",
        list(_KINDS),
        index=list(_KINDS).index("openai_compatible"),
        format_func=lambda name: _KINDS[name].label,
        key=state.REMOTE_KIND.name,
    )
    st.caption(_KINDS[kind].description)
    one, other = st.columns(2)
    one.text_input("Address", key=state.REMOTE_ADDRESS.name, placeholder=_EXAMPLES[kind])
    named = kind != "lit_server"
    other.text_input(
        "Model's name on that server",
        key=state.REMOTE_MODEL.name,
        disabled=not named,
        help="Leave it empty where the server has only one."
        if named
        else "A LIT model server has one model.",
    )
    one.text_input("Name here", key=state.REMOTE_NAME.name, placeholder="as it shall be called in menus")
    other.text_input(
        "Access token",
        type="password",
        key=_token().name,
        autocomplete="off",
        help="Kept in this process's memory until it ends; never stored or shown.",
    )
    address = (state.REMOTE_ADDRESS.get() or "").strip()
    if _in_the_open(address) and _token().get():
        st.warning("This address is not encrypted (http): others on the network could read the token.")
    st.button("Connect", key=state.CONNECT.name, on_click=_connect, disabled=loading.is_loading())
    if (error := state.REMOTE_PROBLEM.pop()) is not None:
        problem.show_error(error)


def _token() -> Key[str]:
    return state.REMOTE_TOKEN(state.REMOTE_TOKEN_TURN.get(0))


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
    token = _token().pop("")
    state.REMOTE_TOKEN_TURN.set(state.REMOTE_TOKEN_TURN.get(0) + 1)
    model = (state.REMOTE_MODEL.get() or "").strip()
    kind = state.REMOTE_KIND.there()
    try:
        address = base_address((state.REMOTE_ADDRESS.get() or "").partition("#")[0])
        if token:
            SECRETS.remember(address, token)
        path = f"{address}#{quote(model, safe='/:@.')}" if model and kind != "lit_server" else address
        name = (state.REMOTE_NAME.get() or "").strip() or model or urlsplit(address).netloc
        loading.start_loading(ModelSpec(name[:60], path, backend=kind, dtype="", device="remote"))
    except AppError as error:
        state.REMOTE_PROBLEM.set(error)
