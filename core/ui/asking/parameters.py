"""How answers are drawn: the widgets for it, shared by every page that runs a model, the choice in words and in
the link.

Every setting that is not the usual one stands in the address, so that a link asks the very same question.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.records import GenerationParams, SendAs
from core.ui.asking import stop_texts

STOPS = "stop at"
_NEWLINE = "\\n"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One of them: its name in the session and in the link, its usual value, and how a link is read."""

    key: str
    link: str
    usual: Any
    read: Callable[[str], Any]
    lowest: float | None = None
    highest: float | None = None


def _texts(words: str) -> tuple[str, ...]:
    found = json.loads(words)
    return tuple(text for text in found if isinstance(text, str) and text) if isinstance(found, list) else ()


PARAMETERS = (
    Parameter("max_new_tokens", "length", 128, int, 1, 1024),
    Parameter("temperature", "temperature", 0.0, float, 0.0, 2.0),
    Parameter("top_p", "top_p", 1.0, float, 0.05, 1.0),
    Parameter("seed", "seed", 0, int, 0, 2**31 - 1),
    Parameter(STOPS, "stop", (), _texts),
)
_BY_KEY = {setting.key: setting for setting in PARAMETERS}


def value(key: str) -> Any:
    """What is chosen; at first what the link says; else the usual."""
    setting = _BY_KEY[key]
    if key == STOPS and _NEXT in st.session_state:
        return tuple(st.session_state[_NEXT])
    if key in st.session_state:
        found = st.session_state[key]
        return tuple(found or ()) if key == STOPS else setting.usual if found is None else found
    words = st.query_params.get(setting.link)
    if words is None:
        return setting.usual
    try:
        found = setting.read(words)
    except (ValueError, TypeError):
        return setting.usual
    if setting.lowest is not None and not setting.lowest <= found <= (setting.highest or found):
        return setting.usual
    return found


def params() -> GenerationParams:
    """How the answer is to be drawn; greedy until the person changes it."""
    return GenerationParams(
        max_new_tokens=int(value("max_new_tokens")),
        temperature=float(value("temperature")),
        top_p=float(value("top_p")),
        seed=int(value("seed")),
        stop=tuple(text.replace(_NEWLINE, "\n") for text in value(STOPS) if text),
    )


_NEXT = "stop at next"


def add_stop(text: str) -> None:
    """Make `text` one of the stop texts, from the next drawing of the widgets on."""
    st.session_state[_NEXT] = list(dict.fromkeys([*value(STOPS), text]))


def take_parameters(found: GenerationParams) -> None:
    """Make the settings those of an answer that was opened; before they are drawn."""
    for setting in PARAMETERS:
        held = found.stop if setting.key == STOPS else getattr(found, setting.key)
        st.session_state[setting.key] = list(held) if setting.key == STOPS else held


def into_link() -> None:
    """Put what is not usual into the address."""
    for setting in PARAMETERS:
        chosen = value(setting.key)
        words = json.dumps(list(chosen), ensure_ascii=False) if setting.key == STOPS else str(chosen)
        if chosen == setting.usual:
            st.query_params.pop(setting.link, None)
        elif st.query_params.get(setting.link) != words:
            st.query_params[setting.link] = words


def draw_parameters(prompt: str = "") -> None:
    """Draw the widgets in the container that is open; stop texts are proposed from `prompt`. What they say holds
    for every page.
    """
    if _NEXT in st.session_state:
        st.session_state[STOPS] = st.session_state.pop(_NEXT)
    proposals = stop_texts.proposals(prompt)
    chosen = value(STOPS)
    st.multiselect(
        "Stop at",
        list(dict.fromkeys([*proposals, *chosen])),
        default=None if STOPS in st.session_state else list(chosen),
        key=STOPS,
        persist_state="session",
        format_func=stop_texts.label,
        accept_new_options=True,
        placeholder="nothing: the model ends by itself",
        help="The answer ends before the first of these texts. A prompt of examples is often continued with the "
        "next example; proposed is what begins each of them.",
    )
    _slider("Longest answer, in tokens", "max_new_tokens", 1)
    _slider(
        "Temperature",
        "temperature",
        0.1,
        "0 always takes the likeliest word (greedy). Higher values let less likely words through.",
    )
    _slider(
        "Top-p",
        "top_p",
        0.05,
        "Only the likeliest words that together reach this probability are drawn from.",
    )
    st.number_input(
        "Seed",
        0,
        2**31 - 1,
        value=None if "seed" in st.session_state else int(value("seed")),
        key="seed",
        persist_state="session",
        help="The same seed gives the same answer again. It matters only above temperature 0.",
    )


def _slider(label: str, key: str, step: float, help_: str | None = None) -> None:
    setting = _BY_KEY[key]
    kind: Callable[[Any], Any] = int if isinstance(setting.usual, int) else float
    low, high = kind(setting.lowest), kind(setting.highest)
    start = {} if key in st.session_state else {"value": value(key)}
    st.slider(label, low, high, step=step, key=key, persist_state="session", help=help_, **start)


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
