"""How answers are drawn: the widgets for it, shared by every page that runs a model, and the choice in words."""

from __future__ import annotations

import streamlit as st

from core.records import GenerationParams, SendAs

STOPS = "stop at"
_NEWLINE = "\\n"


def params() -> GenerationParams:
    """What the person chose, on whatever page; greedy and 128 tokens at most until then."""
    state = st.session_state
    return GenerationParams(
        max_new_tokens=int(state.get("max_new_tokens", 128)),
        temperature=float(state.get("temperature", 0.0)),
        top_p=float(state.get("top_p", 1.0)),
        seed=int(state.get("seed", 0)),
        stop=tuple(text.replace(_NEWLINE, "\n") for text in state.get(STOPS, ()) if text),
    )


def draw() -> None:
    """Draw the widgets in the container that is open; what they say holds for every page."""
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
    st.multiselect(
        "Stop at",
        [_NEWLINE, _NEWLINE * 2],
        accept_new_options=True,
        max_selections=4,
        key=STOPS,
        persist_state="session",
        placeholder="nothing: type a text",
        help="The answer ends before the first of these texts. `\\n` is the end of a line.",
    )


def in_words(chosen: GenerationParams, send_as: SendAs | None = None) -> str:
    """`chosen` as one line: "128 tokens at most, greedy, sent as plain text"."""
    parts = [f"{chosen.max_new_tokens:,} tokens at most"]
    if chosen.temperature == 0:
        parts.append("greedy")
    else:
        parts += [f"temperature {chosen.temperature:g}", f"top-p {chosen.top_p:g}", f"seed {chosen.seed}"]
    if chosen.stop:
        parts.append("stops at " + ", ".join(f"“{text.replace(chr(10), _NEWLINE)}”" for text in chosen.stop))
    if send_as is not None:
        parts.append("sent as a chat" if send_as == "chat" else "sent as plain text")
    return ", ".join(parts)
