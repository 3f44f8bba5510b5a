"""Who is asking on a hosted site: an account that signed in, else the browser that Whence gave a cookie.

Signing in is Streamlit's own (`st.login`, OpenID Connect), where the operator set `[auth]` in its secrets. Knows no
database: whose workspace is whose is `core.store.visitors`' to say.
"""

from __future__ import annotations

import streamlit as st

from core.ui.shell.services import settings
from core.ui.web.browsers import NAMES, Signer


@st.cache_resource(show_spinner=False)
def _signer() -> Signer:
    return Signer.of(settings())


def browser() -> str:
    """The name of this browser; "" where it sent no cookie of ours (none are allowed, or the first visit)."""
    sent = st.context.cookies
    given = {cookie: sent.get(cookie) for cookie in NAMES}
    name = _signer().name({cookie: value for cookie, value in given.items() if isinstance(value, str)})
    return f"browser {name}" if name else ""


def may_sign_in() -> bool:
    """Whether the operator set up signing in."""
    return "is_logged_in" in st.user


def account() -> str:
    """The account's lasting name, by its issuer and subject; "" for whoever did not sign in."""
    if not may_sign_in() or not st.user.get("is_logged_in"):
        return ""
    issuer, subject = st.user.get("iss"), st.user.get("sub")
    return f"account {issuer} {subject}" if issuer and subject else ""


def visitor_name() -> str:
    """How this visitor is called in what was done: the account's address or name, or "a browser"."""
    if not account():
        return "a browser"
    return str(st.user.get("email") or st.user.get("name") or st.user.get("sub"))
