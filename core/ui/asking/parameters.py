"""How answers are drawn: the widgets for it, shared by every page that runs a model, the choice in words and in
the link.

How long an answer may be and where it ends is proposed by the prompt (`core.answer_defaults`) until somebody says; what
was said holds for every page. Every setting that was said stands in the address, so that a link asks the very same
question.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.answer_defaults import USUAL, AnswerDefault, Asked, default_of_many
from core.records import GenerationParams, ModelSpec, SendAs
from core.ui.asking import stop_texts
from core.ui.asking.template_kind import kind_of_model
from core.ui.shell import problem, state
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
    Parameter(state.MAX_NEW_TOKENS, "length", USUAL, int, 1, 1024),
    Parameter(state.TEMPERATURE, "temperature", 0.0, float, 0.0, 2.0),
    Parameter(state.TOP_P, "top_p", 1.0, float, 0.05, 1.0),
    Parameter(state.SEED, "seed", 0, int, 0, 2**31 - 1),
    Parameter(state.STOP_AT, "stop", (), _texts),
    Parameter(state.AS_TEXT, "as_text", False, lambda words: words == "True"),
)
_BY_NAME = {setting.key.name: setting for setting in PARAMETERS}


PROPOSED = (state.MAX_NEW_TOKENS, state.STOP_AT)
"""What the prompt proposes, until somebody says."""


def value(key: Key[Any], proposed: AnswerDefault | None = None) -> Any:
    """What was said; at first what the link says; else what the prompt proposes, or the usual."""
    setting = _BY_NAME[key.name]
    if key == state.STOP_AT and state.STOP_AT_NEXT.held:
        return tuple(state.STOP_AT_NEXT.there())
    if key == state.AS_TEXT and state.AS_TEXT_NEXT.held:
        return state.AS_TEXT_NEXT.there()
    usual = setting.usual
    if key in PROPOSED and proposed is not None:
        usual = proposed.stop if key == state.STOP_AT else proposed.max_new_tokens
    if key.held and (key not in PROPOSED or key.name in _said()):
        found = key.get()
        return tuple(found or ()) if key == state.STOP_AT else usual if found is None else found
    words = st.query_params.get(setting.link)
    if words is None:
        return usual
    try:
        found = setting.read(words)
    except (ValueError, TypeError):
        return usual
    if setting.lowest is not None and not setting.lowest <= found <= (setting.highest or found):
        return usual
    return found


def _said() -> set[str]:
    """Names of the settings that the prompt would propose, and somebody said."""
    return state.PARAMETERS_SAID.setdefault(set())


def _is_said(key: Key[Any]) -> bool:
    return key.name in _said() or _BY_NAME[key.name].link in st.query_params


def proposed_for(prompts: Iterable[Asked], spec: ModelSpec | None = None) -> AnswerDefault:
    """What these prompts propose, asked of the model of `spec`."""
    thinks = spec is not None and kind_of_model(spec) == "thinking"
    return default_of_many(prompts, thinks=thinks)


def params(*prompts: Asked, spec: ModelSpec | None = None) -> GenerationParams:
    """How the answers to `prompts` are to be drawn; greedy until the person changes it."""
    proposed = proposed_for(prompts, spec)
    return GenerationParams(
        max_new_tokens=int(value(state.MAX_NEW_TOKENS, proposed)),
        temperature=float(value(state.TEMPERATURE)),
        top_p=float(value(state.TOP_P)),
        seed=int(value(state.SEED)),
        stop=tuple(text.replace(_NEWLINE, "\n") for text in value(state.STOP_AT, proposed) if text),
        as_text=bool(value(state.AS_TEXT)),
    )


def fits(found: GenerationParams, wanted: GenerationParams) -> bool:
    """Whether an answer drawn with `found` is one to show where `wanted` is asked for: they differ at most in the
    length and end that nobody said.
    """
    chance = ("temperature",) if wanted.temperature == 0 else ("temperature", "top_p", "seed")
    said = [key for key in PROPOSED if _is_said(key)]
    fields = ("as_text", *chance, *("stop" if key == state.STOP_AT else key.name for key in said))
    return all(getattr(found, name) == getattr(wanted, name) for name in fields)


def add_stop(text: str) -> None:
    """Make `text` one of the stop texts, from the next drawing of the widgets on."""
    state.STOP_AT_NEXT.set(list(dict.fromkeys([*value(state.STOP_AT), text])))
    _said().add(state.STOP_AT.name)


def send_as_text(chosen: bool) -> None:
    """Whether control tokens are sent as text, from the next drawing of the widgets on."""
    state.AS_TEXT_NEXT.set(chosen)


def take_parameters(found: GenerationParams, asked: Asked, spec: ModelSpec) -> None:
    """Make the settings those of an answer that was opened; before they are drawn. What its prompt proposes itself was
    not said.
    """
    proposed = proposed_for((asked,), spec)
    for setting in PARAMETERS:
        stops = setting.key == state.STOP_AT
        setting.key.set(list(found.stop) if stops else getattr(found, setting.key.name))
    _said().difference_update(key.name for key in PROPOSED)
    if found.max_new_tokens != proposed.max_new_tokens:
        _said().add(state.MAX_NEW_TOKENS.name)
    if found.stop != proposed.stop:
        _said().add(state.STOP_AT.name)


def into_link() -> None:
    """Put what was said, and what is not usual, into the address."""
    for setting in PARAMETERS:
        chosen = value(setting.key)
        words = json.dumps(list(chosen), ensure_ascii=False) if setting.key == state.STOP_AT else str(chosen)
        usual = not _is_said(setting.key) if setting.key in PROPOSED else chosen == setting.usual
        if usual:
            st.query_params.pop(setting.link, None)
        elif st.query_params.get(setting.link) != words:
            st.query_params[setting.link] = words


def draw_parameters(*prompts: Asked, spec: ModelSpec | None = None) -> None:
    """Draw the widgets in the container that is open; what `prompts` propose stands in them until somebody says. What
    they say holds for every page.
    """
    proposed = proposed_for(prompts, spec)
    if (wanted := state.STOP_AT_NEXT.pop()) is not None:
        state.STOP_AT.set(wanted)
    if (text_next := state.AS_TEXT_NEXT.pop()) is not None:
        state.AS_TEXT.set(text_next)
    _draw_proposed(proposed)
    text = next((one for one in prompts if isinstance(one, str)), "")
    chosen = value(state.STOP_AT, proposed)
    if not _is_said(state.STOP_AT):
        state.STOP_AT.set(list(chosen))
    st.multiselect(
        "Stop at",
        list(dict.fromkeys([*proposed.stop, *stop_texts.proposals(text), *chosen])),
        default=None if state.STOP_AT.held else list(chosen),
        key=state.STOP_AT.name,
        persist_state="session",
        format_func=stop_texts.label,
        accept_new_options=True,
        placeholder="nothing: the model ends by itself",
        on_change=_said().add,
        args=(state.STOP_AT.name,),
        help="The answer ends before the first of these texts. A prompt of examples is often continued with the "
        "next example; proposed is what begins each of them.",
    )
    if not _is_said(state.MAX_NEW_TOKENS):
        state.MAX_NEW_TOKENS.set(proposed.max_new_tokens)
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
    as_text: dict[str, Any] = {} if state.AS_TEXT.held else {"value": bool(value(state.AS_TEXT))}
    st.checkbox(
        "Send control tokens as text",
        key=state.AS_TEXT.name,
        persist_state="session",
        help="What you typed that the model would read as a control token (`<|im_end|>`, `<eos>`) is sent as the "
        "text that it shows. Needs a model whose files are here.",
        **as_text,
    )


def _draw_proposed(proposed: AnswerDefault) -> None:
    """One line: what the prompt proposes and why, or that somebody said otherwise and how to go back."""
    said = any(_is_said(key) for key in PROPOSED)
    told = f"{proposed.max_new_tokens:,} tokens"
    if proposed.stop:
        told += ", to " + ", ".join(stop_texts.label(text) for text in proposed.stop)
    if not said:
        st.caption(problem.plain(f"Length and end are read from the prompt: {proposed.reason}."))
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(
            problem.plain(f"You chose length or end. The prompt would propose {told}."), width="stretch"
        )
        st.button(
            "Read from the prompt", key=state.READ_PARAMETERS.name, type="tertiary", on_click=_read_again
        )


def _read_again() -> None:
    _said().clear()
    for key in PROPOSED:
        key.pop()
        st.query_params.pop(_BY_NAME[key.name].link, None)


def _slider(label: str, key: Key[Any], step: float, help_: str | None = None) -> None:
    setting = _BY_NAME[key.name]
    kind: Callable[[Any], Any] = int if isinstance(setting.usual, int) else float
    low, high = kind(setting.lowest), kind(setting.highest)
    start: dict[str, Any] = {} if key.held else {"value": value(key)}
    if key in PROPOSED:
        start |= {"on_change": _said().add, "args": (key.name,)}
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
    if chosen.as_text:
        parts.append("control tokens as text")
    if send_as is not None:
        parts.append("sent as a chat" if send_as == "chat" else "sent as plain text")
    return ", ".join(parts)
