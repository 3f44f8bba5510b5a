"""What a reasoning model thought, set apart from what it answered: `<think>…</think>` and its relatives.

Some chat templates put the opening tag into the prompt, so that an answer begins within the thinking and only
the closing tag is seen. Thinking that never ends (the answer was cut) leaves an empty answer: what was thought
is no answer. Tags within the answer's own text that open nothing at the start of a line are text.
Knows no metric, no model and no page.
"""

from __future__ import annotations

from typing import NamedTuple

import regex

_NAMES = r"(?:think|thinking|thought|reasoning|seed:think)"
_OPEN = regex.compile(rf"\A\s*(?:<{_NAMES}>|\[THINK\])", regex.IGNORECASE)
_CLOSE = regex.compile(rf"(?:</{_NAMES}>|\[/THINK\])", regex.IGNORECASE)
_ANY_OPEN = regex.compile(rf"(?:<{_NAMES}>|\[THINK\])", regex.IGNORECASE)
THINKING_TAG = regex.compile(rf"</?{_NAMES}>|\[/?THINK\]", regex.IGNORECASE)
"""An opening or a closing tag, anywhere."""
THINKING_OPENED = regex.compile(rf"(?:<{_NAMES}>|\[THINK\])\s*\Z", regex.IGNORECASE)
"""A text that ends with an opening tag: what follows it is thinking."""


class ThinkingAndAnswer(NamedTuple):
    """A response in two: what was thought, and the answer, which begins at character `starts` of the response."""

    thinking: str
    answer: str
    starts: int = 0


def split(response: str) -> ThinkingAndAnswer:
    """`response` as thinking and answer; a response without thinking is all answer, to the letter.

    Several stretches of thinking are joined by an empty line.
    """
    thoughts: list[str] = []
    rest = response
    while True:
        opened = _OPEN.match(rest)
        closed = _CLOSE.search(rest, opened.end() if opened else 0)
        if opened and not closed:
            thoughts.append(rest[opened.end() :])
            rest = ""
            break
        if opened and closed:
            thoughts.append(rest[opened.end() : closed.start()])
        elif closed and not thoughts and not _ANY_OPEN.search(rest, 0, closed.start()):
            thoughts.append(rest[: closed.start()])  # the template had opened it
        else:
            break
        rest = rest[closed.end() :].lstrip("\r\n")
    if not thoughts:
        return ThinkingAndAnswer("", response)
    answer = rest if rest.strip() else ""
    return ThinkingAndAnswer(
        "\n\n".join(t.strip() for t in thoughts if t.strip()), answer, len(response) - len(answer)
    )


def answer_of(response: str) -> str:
    """The answer without its thinking."""
    return split(response).answer if "<" in response or "[" in response else response


def answer_starts(response: str) -> int:
    """The character of `response` at which the answer begins: 0 without thinking, its length where none came."""
    return split(response).starts if "<" in response or "[" in response else 0
