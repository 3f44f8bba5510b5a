"""Turns of a chat rendered by the tokenizer's own template, and which characters of it the person wrote.

Everything the person did not write is template. The turns are found again by rendering the template once
more with placeholders for them, so that a word of the template ("user") is never taken for a turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from jinja2 import TemplateError, TemplateSyntaxError
from jinja2.exceptions import SecurityError

from core.errors import AppError
from core.models.local import template_bounds
from core.records import Message

Ranges = list[tuple[int, int]]


class Rendered(NamedTuple):
    """A conversation as the model reads it, without the beginning-of-text token that the template may put."""

    text: str
    turns: Ranges
    """Half-open character ranges of what the person wrote, in order."""
    begins: bool | None
    """Whether a beginning-of-text token goes first; None: as the tokenizer does for any text."""


def render(tokenizer: Any, messages: Sequence[Message], *, as_parts: bool = False) -> Rendered:
    """The text the model reads and where the turns stand in it.

    Without a template the turns are joined by blank lines, and all but the joints is theirs. A template that
    refuses a system turn, or leaves it out, gets it as the start of the first user turn; one that reads content only
    as a list of parts gets that.

    Raises: AppError when the template refuses the conversation, or leaves out what the user wrote.
    """
    if not messages:
        raise AppError("The conversation has no turns.", hint="Write at least one message.")
    turns = [(message.role, message.content) for message in messages]
    if not getattr(tokenizer, "chat_template", None):
        return Rendered(*_join([content for _, content in turns]), None)
    try:
        text = _apply(tokenizer, turns, as_parts)
    except (TemplateSyntaxError, SecurityError) as broken:
        raise _faulty(broken) from broken
    except TemplateError as refused:
        if turns[0][0] != "system" or len(turns) < 2:
            raise AppError(
                f"The model's chat template refuses this conversation: {str(refused).rstrip('./ ')}.",
                hint="Turns should alternate between user and assistant, and begin with the user.",
            ) from refused
        folded = [(turns[1][0], f"{turns[0][1]}\n\n{turns[1][1]}"), *turns[2:]]
        return render(tokenizer, [Message(role, content) for role, content in folded])
    bos = tokenizer.bos_token or ""
    placeholders = [f"\ue000{index}\ue001" for index in range(len(turns))]
    frame = _apply(tokenizer, [(role, mark) for (role, _), mark in zip(turns, placeholders)], as_parts)
    lost = [
        index
        for index, ((_, content), mark) in enumerate(zip(turns, placeholders))
        if content.strip() and mark not in frame and content.strip() not in text
    ]
    if (
        lost
        and lost == [index for index, (_, content) in enumerate(turns) if content.strip()]
        and not as_parts
    ):
        return render(tokenizer, messages, as_parts=True)
    if lost and turns[0][0] == "system" and lost[0] == 0 and len(turns) > 1:
        folded = [(turns[1][0], f"{turns[0][1]}\n\n{turns[1][1]}"), *turns[2:]]
        return render(tokenizer, [Message(role, content) for role, content in folded], as_parts=as_parts)
    if any(turns[index][0] == "user" for index in lost):
        raise AppError(
            "The model's chat template leaves out what the user wrote.",
            hint="Send the prompt as plain text, or use a model with another template.",
        )
    begins = bool(bos) and text.startswith(bos)
    if begins:
        text, frame = text[len(bos) :], frame.removeprefix(bos)
    return Rendered(text, _locate(text, frame, placeholders, [content for _, content in turns]), begins)


def _apply(tokenizer: Any, turns: Sequence[tuple[str, str]], as_parts: bool = False) -> str:
    continues = turns[-1][0] == "assistant"
    try:
        with template_bounds.clocked():
            text = tokenizer.apply_chat_template(
                [
                    {"role": role, "content": [{"type": "text", "text": content}] if as_parts else content}
                    for role, content in turns
                ],
                tokenize=False,
                add_generation_prompt=not continues,
                continue_final_message=continues,
            )
    except (TemplateError, AppError):
        raise
    except ValueError as error:  # transformers' own, when the template rewrites the turn that should go on
        if not continues:
            raise _faulty(error) from error
        raise AppError(
            "The model's chat template rewrites the assistant's last turn, so that turn cannot be continued.",
            hint="End the conversation with a turn of the user.",
        ) from error
    except (
        TypeError,
        KeyError,
        AttributeError,
        IndexError,
        ArithmeticError,
        RecursionError,
        MemoryError,
    ) as error:
        raise _faulty(error) from error
    most = template_bounds.MOST_CHARS + sum(len(content) for _, content in turns)
    if len(text) > most:
        raise AppError(
            f"The model's chat template wrote {len(text):,} characters; at most {most:,} are read."
        )
    return str(text)


def _faulty(error: Exception) -> AppError:
    """What is wrong with the template itself."""
    where = f" in its line {error.lineno}" if isinstance(error, TemplateSyntaxError) else ""
    what = str(error).splitlines()[0].rstrip("./ ") if str(error).strip() else type(error).__name__
    return AppError(
        f"The model's chat template is faulty{where}: {what}.",
        hint="Send the prompt as plain text, or use a model with another template.",
    )


def _join(contents: Sequence[str]) -> tuple[str, Ranges]:
    ranges, at = [], 0
    for content in contents:
        ranges.append((at, at + len(content)))
        at += len(content) + 2
    return "\n\n".join(contents), ranges


def _locate(text: str, frame: str, placeholders: Sequence[str], contents: Sequence[str]) -> Ranges:
    """Where each of `contents` (or its stripped form, as many templates write it) stands in `text`."""
    ranges: Ranges = []
    at = 0
    for mark, content in zip(placeholders, contents):
        before, found, frame = frame.partition(mark)
        for form in (content, content.strip()):
            if found and text.startswith(before + form, at):
                start = at + len(before)
                break
        else:  # the template treats this turn differently from a plain one: look for its words
            form = content.strip()
            start = text.find(form, at)
            if start < 0:
                continue
        ranges.append((start, start + len(form)))
        at = start + len(form)
    return ranges
