"""Where an answer should end: proposals from the prompt's own examples, and the tail that goes on past them.

A prompt of examples teaches a model to write the next example too. What begins each example of the prompt is
what begins such a tail. Pure functions; knows no model.
"""

from __future__ import annotations

import re

from core.answer_defaults import BLANK, opening
from core.thinking import answer_starts

__all__ = ["BLANK", "label", "opening", "proposals", "tail"]


def proposals(prompt: str) -> list[str]:
    """Texts at which an answer to `prompt` may well end, the likeliest first."""
    found = []
    if first := opening(prompt):
        found.append(f"\n{first}")
    if re.search(r"\n\s*\n", prompt.strip()):
        found.append(BLANK)
    return [*found, *([] if "\n" in found or prompt.strip().count("\n") else ["\n"])]


def label(text: str) -> str:
    """What a menu calls a stop text: line breaks in words."""
    if text == BLANK:
        return "a blank line"
    if text == "\n":
        return "the end of the line"
    words = text.replace("\n", "⏎ ").strip()
    return f"a line that begins with “{text.strip()}”" if text.startswith("\n") else f"“{words}”"


def tail(response: str, prompt: str) -> int | None:
    """Where in `response` the next example begins; None where the answer, past its thinking, ends without one."""
    first = opening(prompt)
    if not first:
        return None
    begins = answer_starts(response)
    at = re.compile(rf"\n[ \t]*(?={re.escape(first)})").search(response, begins)
    if at is None or not response[begins : at.start()].strip():
        return None
    start = at.start()
    return start - (len(response[:start]) - len(response[:start].rstrip()))
