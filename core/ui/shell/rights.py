"""What may be changed here. One rule for every page: a link that only looks greys out whatever changes something.

Pages draw a control that changes something (an example, a mark, an answer that others then see) by the functions here
and everything else by Streamlit's own. The store refuses a write through such a link by itself; this module sees to it
that nobody is offered one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import AppError
from core.store.engine import LOOKS_ONLY
from core.ui.shell import library, problem
from core.ui.shell.services import service


def may_change() -> bool:
    """Whether the person may change what is on the screen: not by a link that may only look."""
    if not service().store.hosted:
        return True
    link = library.shared_link()
    return link is None or link.may_edit


def may_comment() -> bool:
    """Whether the person may judge and comment: not by a link that may only look."""
    if not service().store.hosted:
        return True
    link = library.shared_link()
    return link is None or link.may_comment


def tell_what_may_be_done() -> None:
    """Above every page reached by a shared link: whose it is, what may be done, and until when."""
    link = library.shared_link() if service().store.hosted else None
    if link is None:
        return
    ends = f"{datetime.fromtimestamp(link.ends_at, UTC):%d %B %Y}"
    may = (
        "You may change it"
        if link.may_edit
        else "You may judge answers and comment, not change anything else: what would is greyed out"
        if link.may_comment
        else "You may look, not change: what would change something is greyed out"
    )
    st.info(problem.plain(f"Somebody shared this workspace with you, until {ends}. {may}."))


def refusal() -> AppError:
    """What somebody is told who asks for a change all the same."""
    return AppError(
        LOOKS_ONLY, hint="Ask whoever sent it for a link that may change things.", code="forbidden"
    )


def button(
    label: str,
    *,
    disabled: bool = False,
    help: str | None = None,
    on_click: Callable[..., None] | None = None,
    **how: Any,
) -> bool:
    """As `st.button`, for what changes something; False where nothing may be changed, whatever was pressed."""
    may = may_change()
    pressed = st.button(
        label,
        disabled=disabled or not may,
        help=help if may else LOOKS_ONLY,
        on_click=on_click if may else None,
        **how,
    )
    return pressed and may


def comment_button(label: str, *, disabled: bool = False, **how: Any) -> bool:
    """As `st.button`, for what says something about an answer; False where nothing may be said."""
    may = may_comment()
    return st.button(label, disabled=disabled or not may, **how) and may


def popover(label: str, *, help: str | None = None, **how: Any) -> DeltaGenerator:
    """As `st.popover`, for a menu in which everything changes something; it does not open where nothing may."""
    may = may_change()
    return st.popover(label, disabled=not may, help=help if may else LOOKS_ONLY, **how)


def read_only() -> bool:
    """For text fields' and tables' `disabled`: whether what is typed there could not be kept anyway."""
    return not may_change()
