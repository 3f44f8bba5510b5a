"""The turns of a chat before the prompt, as boxes a person writes in, adds and removes.

Drafts live with those of the prompt (`core.ui.asking.versions`), so that they survive a page change. Which turns an
example keeps, and in what form: `conversation.py`.
"""

from __future__ import annotations

import json
import secrets

import streamlit as st

from core.records import Example, Message
from core.ui.asking import conversation, versions
from core.ui.shell import rights, state
from core.ui.shell.state import Key

KIND = "turns"
TURN_HEIGHT, LIST_HEIGHT, ROW_HEIGHT = 84, 300, 48
"""Pixels of one box, of the list at most (it scrolls), and of the line with the buttons."""

Turns = list[dict[str, str]]


def drafted_turns(example: Example) -> tuple[Message, ...]:
    """The turns as they stand in the boxes."""
    return tuple(Message(turn["role"], turn["content"]) for turn in _turns(example))  # type: ignore[arg-type]


def _turns(example: Example) -> Turns:
    text = versions.draft_of(example, KIND)
    if text is not None:
        held: Turns = json.loads(text)
        return held
    turns = conversation.turns_of(example) or ()
    return [{"id": str(at), **turn} for at, turn in enumerate(conversation.turns_as_field(turns))]


def _hold(example: Example, turns: Turns) -> None:
    versions.hold_draft(example, KIND, json.dumps(turns))


def height(example: Example) -> int:
    """Pixels that `draw_turns` takes."""
    count = len(_turns(example))
    return ROW_HEIGHT + (min(LIST_HEIGHT, 24 + count * (TURN_HEIGHT + 44)) if count else 0)


def draw_turns(example: Example, reply: str, *, busy: bool = False) -> bool:
    """Draw the boxes, and the buttons that add one. `reply` answers the prompt; `busy`: it is being written.

    Returns whether the prompt and its answer should become turns of the chat.
    """
    turns = _turns(example)
    if turns:
        tall = 24 + len(turns) * (TURN_HEIGHT + 44) > LIST_HEIGHT
        with st.container(key="turns", height=LIST_HEIGHT if tall else "content", border=True, gap=None):
            for at in range(len(turns)):
                _turn(example, turns, at)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        add = rights.button(
            "Add a turn",
            type="tertiary",
            icon=":material/add:",
            disabled=busy,
            help="The prompt and its answer move up into the chat, and the box is free for what is said next."
            if reply
            else "The prompt moves up into the chat, with a box for the assistant's answer to it.",
        )
        if not any(turn["role"] == "system" for turn in turns):
            rights.button(
                "Add a system message",
                type="tertiary",
                icon=":material/add:",
                on_click=_add_system,
                args=(example,),
                help="What the model is told before the chat begins, such as a rule.",
            )
    return add


def _turn(example: Example, turns: Turns, at: int) -> None:
    turn = turns[at]
    places = (example.id, versions.times_reset(example), turn["id"])
    key = state.TURN_BOX(*places)
    spoken = [t for t in turns[: at + 1] if t["role"] == turn["role"]]
    name = conversation.NAMES[turn["role"]] + ("" if turn["role"] == "system" else f" {len(spoken)}")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(name, width="content")
        if turn["role"] != "assistant" or not at or turns[at - 1]["role"] != "user":
            pair = turn["role"] == "user" and at + 1 < len(turns) and turns[at + 1]["role"] == "assistant"
            rights.button(
                "Remove",
                key=state.REMOVE_TURN(*places).name,
                type="tertiary",
                on_click=_remove,
                args=(example, turn["id"], pair),
                help="Take this turn and its answer out of the chat." if pair else "Take it out of the chat.",
            )
    st.text_area(
        name,
        turn["content"],
        key=key.name,
        height=TURN_HEIGHT,
        label_visibility="collapsed",
        disabled=rights.read_only(),
        on_change=_typed,
        args=(example, turn["id"], key),
    )


def _typed(example: Example, turn_id: str, key: Key[str]) -> None:
    words = key.there() or ""
    turns = [t | {"content": words} if t["id"] == turn_id else t for t in _turns(example)]
    _hold(example, turns)
    if any(t["id"] == turn_id and t["role"] == "system" for t in turns):
        state.SYSTEM.set(words)


def _new(role: str, content: str = "") -> dict[str, str]:
    return {"id": secrets.token_hex(4), "role": role, "content": content}


def _add_system(example: Example) -> None:
    _hold(example, [_new("system"), *_turns(example)])


def _remove(example: Example, turn_id: str, pair: bool) -> None:
    turns = _turns(example)
    at = next((i for i, turn in enumerate(turns) if turn["id"] == turn_id), None)
    if at is None:
        return
    gone = turns[at]
    if gone["role"] == "system":
        state.SYSTEM.pop()
    _hold(example, turns[:at] + turns[at + 1 + pair :])
    if gone["role"] == "user" and not versions.prompt_draft(example).strip():
        versions.put_prompt(example, gone["content"])  # the way back from "Add a turn"


def add_turn(example: Example, prompt: str, reply: str) -> None:
    """Make `prompt` and its answer turns of the chat, and empty the prompt's box; draw the page anew then."""
    _hold(example, [*_turns(example), _new("user", prompt), _new("assistant", reply)])
    versions.put_prompt(example, "")
