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
from core.ui.shell import state
from core.ui.shell.state import Key

_NEWLINE = "\\n"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One of them: where the session holds it, its name in the link, its usual value, and how a link is read."""

    key: Key[Any]
    link: str
    usual: Any
    read: Callable[[str], Any]
    lowest: float | None = None
    highest: float | None = None


def _texts(words: str) -> tuple[str, ...]:
    found = json.loads(words)
    return tuple(text for text in found if isinstance(text, str) and text) if isinstance(found, list) else ()


PARAMETERS = (
    Parameter(state.MAX_NEW_TOKENS, "length", 128, int, 1, 1024),
    Parameter(state.TEMPERATURE, "temperature", 0.0, float, 0.0, 2.0),
    Parameter(state.TOP_P, "top_p", 1.0, float, 0.05, 1.0),
    Parameter(state.SEED, "seed", 0, int, 0, 2**31 - 1),
    Parameter(state.STOP_AT, "stop", (), _texts),
)
_BY_NAME = {setting.key.name: setting for setting in PARAMETERS}


def value(key: Key[Any]) -> Any:
    """What is chosen; at first what the link says; else the usual."""
    setting = _BY_NAME[key.name]
    if key == state.STOP_AT and state.STOP_AT_NEXT.held:
        return tuple(state.STOP_AT_NEXT.there())
    if key.held:
        found = key.get()
        return tuple(found or ()) if key == state.STOP_AT else setting.usual if found is None else found
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
        max_new_tokens=int(value(state.MAX_NEW_TOKENS)),
        temperature=float(value(state.TEMPERATURE)),
        top_p=float(value(state.TOP_P)),
        seed=int(value(state.SEED)),
        stop=tuple(text.replace(_NEWLINE, "\n") for text in value(state.STOP_AT) if text),
    )


def add_stop(text: str) -> None:
    """Make `text` one of the stop texts, from the next drawing of the widgets on."""
    state.STOP_AT_NEXT.set(list(dict.fromkeys([*value(state.STOP_AT), text])))


def take_parameters(found: GenerationParams) -> None:
    """Make the settings those of an answer that was opened; before they are drawn."""
    for setting in PARAMETERS:
        stops = setting.key == state.STOP_AT
        setting.key.set(list(found.stop) if stops else getattr(found, setting.key.name))


def into_link() -> None:
    """Put what is not usual into the address."""
    for setting in PARAMETERS:
        chosen = value(setting.key)
        words = json.dumps(list(chosen), ensure_ascii=False) if setting.key == state.STOP_AT else str(chosen)
        if chosen == setting.usual:
            st.query_params.pop(setting.link, None)
        elif st.query_params.get(setting.link) != words:
            st.query_params[setting.link] = words


def draw_parameters(prompt: str = "") -> None:
    """Draw the widgets in the container that is open; stop texts are proposed from `prompt`. What they say holds
    for every page.
    """
    if (wanted := state.STOP_AT_NEXT.pop()) is not None:
        state.STOP_AT.set(wanted)
    proposals = stop_texts.proposals(prompt)
    chosen = value(state.STOP_AT)
    st.multiselect(
        "Stop at",
        list(dict.fromkeys([*proposals, *chosen])),
        default=None if state.STOP_AT.held else list(chosen),
        key=state.STOP_AT.name,
        persist_state="session",
        format_func=stop_texts.label,
        accept_new_options=True,
        placeholder="nothing: the model ends by itself",
        help="The answer ends before the first of these texts. A prompt of examples is often continued with the "
        "next example; proposed is what begins each of them.",
    )
    _slider("Longest answer, in tokens", state.MAX_NEW_TOKENS, 1)
    _slider(
        "Temperature",
        state.TEMPERATURE,
        0.1,
        "0 always takes the likeliest word (greedy). Higher values let less likely words through.",
    )
    _slider(
        "Top-p",
        state.TOP_P,
        0.05,
        "Only the likeliest words that together reach this probability are drawn from.",
    )
    st.number_input(
        "Seed",
        0,
        2**31 - 1,
        value=None if state.SEED.held else int(value(state.SEED)),
        key=state.SEED.name,
        persist_state="session",
        help="The same seed gives the same answer again. It matters only above temperature 0.",
    )


def _slider(label: str, key: Key[Any], step: float, help_: str | None = None) -> None:
    setting = _BY_NAME[key.name]
    kind: Callable[[Any], Any] = int if isinstance(setting.usual, int) else float
    low, high = kind(setting.lowest), kind(setting.highest)
    start = {} if key.held else {"value": value(key)}
    st.slider(label, low, high, step=step, key=key.name, persist_state="session", help=help_, **start)


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
