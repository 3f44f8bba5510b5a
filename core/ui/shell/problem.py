"""How a page says that something did not work: one sentence, and what to do."""

from __future__ import annotations

import logging

import streamlit as st

from core.errors import AppError, Stopped
from core.ui.shell import services

_OF_THE_SITE = {
    "disk_full": "The disk of this site is full, so nothing new can be kept.",
    "read_only": "This site may not write where it keeps things, so nothing new can be kept.",
    "damaged_database": "The database of this site is damaged, so nothing new is written into it.",
    "not_a_database": "The database of this site cannot be read.",
    "database": "The database of this site does not answer.",
    "storage": "This site cannot reach the place where it keeps things.",
}
"""What a stranger is told of a fault of the operator's: what it means for them, and no path or address."""
logger = logging.getLogger(__name__)


def show_error(error: AppError) -> None:
    """The error's own words, as text: nothing in them is read as markup."""
    box = st.info if isinstance(error, Stopped) else st.error
    box(in_markdown(error))


def in_markdown(error: AppError) -> str:
    """The error's own words, safe as Markdown; to a visitor of a hosted site nothing of the machine behind it."""
    words = str(error)
    if error.code in _OF_THE_SITE and services.settings().mode == "hosted":
        logger.error("%s", error)
        words = f"{_OF_THE_SITE[error.code]} Its operator finds the reason in the log. Try again later."
    return plain(words)


def plain(text: str) -> str:
    """`text` with every character that Markdown, maths or an emoji code could act on made literal."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#+-.!|$:~^=&" else c for c in text)
