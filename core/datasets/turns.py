"""Chats as files keep them, read as turns: `messages` of the OpenAI kind, ShareGPT's `conversations`, Gemini's
`contents`, text of such.

A turn names who speaks (`role`, `from`, `speaker`) and what is said (`content`, `value`, `text`, `message`, `parts`);
what is said may be a list of parts, of which the text is taken. Knows no file and no example.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from core.records import Message

Role = Literal["system", "user", "assistant"]
_WHO = ("role", "from", "speaker", "author")
_WHAT = ("content", "value", "text", "message", "parts")
_ROLES: dict[str, Role] = {
    **dict.fromkeys(("system", "developer", "instruction"), "system"),
    **dict.fromkeys(("user", "human", "prompter", "question", "person", "customer"), "user"),
    **dict.fromkeys(("assistant", "gpt", "model", "bot", "chatgpt", "ai", "chatbot", "bing", "bard"), "assistant"),
}  # fmt: skip
_LONGEST_TEXT = 5_000_000


@dataclass(frozen=True, slots=True)
class ChatRow:
    """A chat that ends with a question: what was said before, the question, and the answer that the file has."""

    earlier: tuple[Message, ...]
    prompt: str
    answer: str | None


def looks_like_turns(value: Any) -> bool:
    """Whether `value` is a list of turns, or text that reads as one."""
    if isinstance(value, str):
        value = _parsed(value)
    return isinstance(value, (list, tuple)) and bool(value) and all(map(_is_turn, value))


def chat_of(value: Any) -> ChatRow | str:
    """The chat in `value` (of which `looks_like_turns` is true), or why it cannot be asked."""
    listed = _parsed(value) if isinstance(value, str) else value
    turns: list[Message] = []
    for number, turn in enumerate(cast("Sequence[Mapping[str, Any]]", listed), 1):
        who = str(next(turn[name] for name in _WHO if name in turn)).strip().casefold()
        role = _ROLES.get(who)
        if role is None:
            return f"Turn {number} of the chat is of “{who[:40]}”; read are system, user and assistant."
        said = _said(turn)
        if said is None:
            return f"Turn {number} of the chat holds something other than text."
        turns.append(Message(role, said))
    answer: str | None = None
    if turns[-1].role == "assistant":
        answer = turns.pop().content
    if not turns or turns[-1].role != "user":
        return "The chat has no turn of the user to be answered."
    return ChatRow(tuple(turns[:-1]), turns[-1].content, answer)


def _is_turn(turn: Any) -> bool:
    return (
        isinstance(turn, Mapping)
        and any(isinstance(turn.get(name), str) for name in _WHO)
        and any(name in turn for name in _WHAT)
    )


def _said(turn: Mapping[str, Any]) -> str | None:
    value = next((turn[name] for name in _WHAT if name in turn), None)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)):
        texts = [part if isinstance(part, str) else _part(part) for part in value]
        return None if any(text is None for text in texts) else "".join(cast("list[str]", texts))
    return None


def _part(part: Any) -> str | None:
    text = part.get("text") if isinstance(part, Mapping) else None
    return text if isinstance(text, str) else None


def _parsed(text: str) -> Any:
    """The JSON list in a cell's text; None where it is none."""
    start = text[:200].lstrip()
    if not start.startswith("[") or len(text) > _LONGEST_TEXT or not start[1:].lstrip().startswith("{"):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
