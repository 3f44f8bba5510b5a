"""The turns of a chat before its prompt: how an example keeps them, where each stands in the rendered text.

A chat's last user turn is the example's prompt; what was said before it stands in the field `earlier_turns`,
as a list of roles and contents. An example without that field is no chat of its own: it is sent as the
session says. Pure functions; knows no page, no template and no tokenizer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from core.errors import AppError
from core.records import Example, Message, Role, Tokens
from core.thinking import answer_of

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


def places(tokens: Tokens, messages: Sequence[Message]) -> list[tuple[int, int] | None]:
    """Half-open character range of each turn's words in `tokens.text`; None where they do not stand there.

    A template's own words ("user") are never taken for a turn: its tokens have the role of a template.
    """
    text = tokens.text[: tokens.prompt_chars]
    written = np.zeros(len(text) + 1, bool)
    for start, stop in tokens.char_spans[tokens.role == Role.PROMPT]:
        written[start:stop] = True
    found: list[tuple[int, int] | None] = []
    at = 0
    for message in messages:
        place = next(
            (
                place
                for form in (message.content, message.content.strip())  # many templates strip what was said
                if form.strip() and (place := _find(text, form, at, written))
            ),
            None,
        )
        found.append(place)
        at = place[1] if place else at
    return found


def rewritten(tokens: Tokens, messages: Sequence[Message]) -> list[str]:
    """A sentence for each turn that the model did not read as it was written: left out, cut, or moved."""
    found, told = places(tokens, messages), []
    for number, (message, place) in enumerate(zip(messages, found), 1):
        if place is not None or not message.content.strip():
            continue
        what = "the system message" if message.role == "system" else f"turn {number} ({message.role})"
        bare = replace(message, content=answer_of(message.content))
        if bare.content.strip() and bare != message and places(tokens, [bare])[0] is not None:
            told.append(f"The model's chat template leaves out what was thought in {what}.")
        else:
            told.append(
                f"The model's chat template leaves out or rewrites {what}: the model did not read it as it stands."
            )
    if len(messages) > 1 and messages[0].role == "system" and found[0] and found[1]:
        between = slice(found[0][1], found[1][0])
        template = tokens.char_spans[tokens.role == Role.TEMPLATE]
        inside = (template[:, 0] < between.stop) & (template[:, 1] > between.start)
        if len(template) and not inside.any() and not tokens.text[between].strip():
            told.append(
                "The model's chat template has no system turn: the system message begins the first user turn."
            )
    return told


def _find(text: str, form: str, at: int, written: Any) -> tuple[int, int] | None:
    lead = len(form) - len(form.lstrip())
    start = text.find(form, at)
    while start >= 0 and not written[start + lead]:
        start = text.find(form, start + 1)
    return (start, start + len(form)) if start >= 0 else None


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
