"""The left side of the Salience page: the prompt, Run, and what stands under *Advanced*."""

from __future__ import annotations

import streamlit as st

from core.records import Example, GenerationParams, Message
from core.ui import versions

PLAIN, CHAT = "plain", "chat"

HEIGHT = 540


def params() -> GenerationParams:
    """What *Advanced* says; greedy until the person changes it."""
    state = st.session_state
    return GenerationParams(
        max_new_tokens=int(state.get("max_new_tokens", 128)),
        temperature=float(state.get("temperature", 0.0)),
        top_p=float(state.get("top_p", 1.0)),
        seed=int(state.get("seed", 0)),
    )


def sent(text: str) -> str | tuple[Message, ...]:
    """What the model is asked: `text` as it is, or as the user's turn of a chat.

    Models without a chat template get plain text either way.
    """
    if st.session_state.get("send_as", PLAIN) == PLAIN:
        return text
    system = str(st.session_state.get("system", "")).strip()
    opening = (Message("system", system),) if system else ()
    return (*opening, Message("user", text))


def draw(example: Example, *, busy: bool) -> tuple[str, bool]:
    """Draw the editor. Returns the text in the box and whether Run was pressed."""
    text = versions.prompt_box(
        example,
        height=HEIGHT,
        help_="Change anything, then press Run (or Ctrl+Enter). Your change is kept as a version.",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button("Run", type="primary", shortcut="Ctrl+Enter", disabled=busy)
        with st.popover("Advanced"):
            _advanced()
        if text != example.prompt:
            st.caption("Edited, not run yet")
    return text, pressed


def _advanced() -> None:
    way = st.radio(
        "Send the prompt as",
        [PLAIN, CHAT],
        format_func={PLAIN: "plain text", CHAT: "a chat turn"}.__getitem__,
        key="send_as",
        persist_state="session",
        horizontal=True,
        help="A chat turn is wrapped in the model's own template. The template's words are shown grey.",
    )
    if way == CHAT:
        st.text_area("System message (optional)", key="system", persist_state="session", height=80)
    st.slider("Longest answer, in tokens", 1, 1024, 128, key="max_new_tokens", persist_state="session")
    st.slider(
        "Temperature",
        0.0,
        2.0,
        0.0,
        0.1,
        key="temperature",
        persist_state="session",
        help="0 always takes the likeliest word (greedy). Higher values let less likely words through.",
    )
    st.slider(
        "Top-p",
        0.05,
        1.0,
        1.0,
        0.05,
        key="top_p",
        persist_state="session",
        help="Only the likeliest words that together reach this probability are drawn from.",
    )
    st.number_input(
        "Seed",
        0,
        2**31 - 1,
        0,
        key="seed",
        persist_state="session",
        help="The same seed gives the same answer again. It matters only above temperature 0.",
    )
