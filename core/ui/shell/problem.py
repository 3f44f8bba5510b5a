"""How a page says that something did not work: one sentence, and what to do."""

from __future__ import annotations

import streamlit as st

from core.errors import AppError, Stopped


def show(error: AppError) -> None:
    """The error's own words, as text: nothing in them is read as markup."""
    box = st.info if isinstance(error, Stopped) else st.error
    box(plain(str(error)))


def plain(text: str) -> str:
    """`text` with every character that Markdown, maths or an emoji code could act on made literal."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#+-.!|$:~^=&" else c for c in text)
