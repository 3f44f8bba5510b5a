"""Two texts as one, what is gone struck through and what is new underlined.

The one place where a comparison becomes HTML; every text is escaped here.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from core.compare import Run

_TAGS = {"removed": "del", "added": "ins"}


def diff_html(runs: Sequence[Run]) -> str:
    """`runs` as a passage: `del` and `ins` carry the meaning; the colours (first_paint.py) only help."""
    style = (
        "<style>.whence-diff{white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.6}"
        ".whence-diff del{color:var(--whence-gone);text-decoration:line-through}"
        ".whence-diff ins{color:var(--whence-new);text-decoration:underline;text-underline-offset:.2em}</style>"
    )
    parts = []
    for run in runs:
        tag = _TAGS.get(run.change)
        text = escape(run.text)
        parts.append(f"<{tag}>{text}</{tag}>" if tag else text)
    return f'{style}<div class="whence-diff" dir="auto">{"".join(parts)}</div>'


def draw_diff(runs: Sequence[Run]) -> None:
    """Show `runs` in the container that is open."""
    st.html(diff_html(runs))
