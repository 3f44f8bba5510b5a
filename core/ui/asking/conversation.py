"""The turns of a chat before its prompt: how an example keeps them, and how a part of the rendered text is changed.

A chat's last user turn is the example's prompt; what was said before it stands in the field `earlier_turns`,
as a list of roles and contents. An example without that field is no chat of its own: it is sent as the
session says. Pure functions; knows no page, no template and no tokenizer.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import AppError
from core.read_turns import places
from core.records import Example, Message, Tokens

FIELD = "earlier_turns"
Prompt = str | tuple[Message, ...]
NAMES = {"system": "System message", "user": "User", "assistant": "Assistant"}


def turns_of(example: Example) -> tuple[Message, ...] | None:
    """The turns before the prompt that `example` keeps; None where it keeps no chat (or something else)."""
    return example.earlier_turns or (() if example.fields.get(FIELD) == [] else None)


def turns_as_field(turns: Sequence[Message]) -> list[dict[str, str]]:
    """`turns` as the field's value."""
    return [{"role": turn.role, "content": turn.content} for turn in turns]


def checked(turns: Sequence[Message]) -> tuple[Message, ...]:
    """`turns` without an empty system message.

    Raises: AppError for another turn in which nothing stands.
    """
    said = tuple(turn for turn in turns if turn.role != "system" or turn.content.strip())
    for number, turn in enumerate(said, 1):
        if not turn.content.strip():
            raise AppError(
                f"Turn {number} of the chat ({NAMES[turn.role].lower()}) is empty.",
                hint="Write what was said there, or remove that turn.",
            )
    return said


def replaced(sent: Prompt, tokens: Tokens, chars: tuple[int, int], instead: str) -> Prompt:
    """What was sent, with the characters `chars` of `tokens.text` taken out and `instead` in their place.

    A system message of which nothing is left is left out.
    """
    messages = (Message("user", sent),) if isinstance(sent, str) else sent
    changed, new = [], instead
    for message, place in zip(messages, places(tokens, messages)):
        low, high = (max(chars[0], place[0]), min(chars[1], place[1])) if place else (0, 0)
        if place and low < high:
            words = tokens.text[place[0] : low] + new + tokens.text[high : place[1]]
            message, new = Message(message.role, words), ""
        if message.role != "system" or message.content.strip():
            changed.append(message)
    return changed[0].content if isinstance(sent, str) else tuple(changed)


def without(sent: Prompt, tokens: Tokens, spans: Sequence[tuple[int, int]]) -> Prompt:
    """What was sent, with all the characters `spans` (half-open, of `tokens.text`) taken out."""
    messages = (Message("user", sent),) if isinstance(sent, str) else sent
    changed = []
    for message, place in zip(messages, places(tokens, messages)):
        if place:
            start, stop = place
            kept, at = [], start
            for low, high in sorted(
                (max(a, start), min(b, stop)) for a, b in spans if a < stop and b > start
            ):
                kept.append(tokens.text[at:low])
                at = max(at, high)
            message = Message(message.role, "".join([*kept, tokens.text[at:stop]]))
        if message.role != "system" or message.content.strip():
            changed.append(message)
    return changed[0].content if isinstance(sent, str) else tuple(changed)
