"""What a server says about its fault, in whatever shape it says it: one line, bounded, of printable characters.

Shapes: `{"error": "…"}`, `{"error": {"message": …}}`, `{"detail": …}`, `{"message": …}`, FastAPI's list of
`{loc, msg}`, a list of any of these, RFC 9457's `title`, JSON within a string, plain text. Markup is no sentence.
"""

from __future__ import annotations

import json
from typing import Any

MOST_CHARS = 300
_KEYS = (
    *("error", "errors", "detail", "details", "message", "msg"),
    *("error_message", "error_description", "title", "reason"),
)
_DEEPEST = 8
_MOST_LISTED = 5


def server_words(found: Any) -> str:
    """The sentence within `found` (parsed JSON); "" where there is none."""
    return one_line(_words(found, _DEEPEST))


def words_of_text(text: str) -> str:
    """The sentence of a body that may be JSON or plain text; "" for markup."""
    try:
        return server_words(json.loads(text))
    except (ValueError, RecursionError):
        return "" if text.lstrip()[:1] in ("<", "{", "[") else one_line(text)


def one_line(text: str) -> str:
    """`text` in one line of at most `MOST_CHARS` characters; what cannot be printed becomes a mark."""
    line = " ".join(text[: 8 * MOST_CHARS].split())
    line = "".join(char if char.isprintable() else "\ufffd" for char in line)
    return line if len(line) <= MOST_CHARS else f"{line[:MOST_CHARS]}…"


def _words(found: Any, depth: int) -> str:
    if isinstance(found, str):
        if found.lstrip()[:1] in ("{", "[") and depth:  # a gateway that passes on another server's JSON
            try:
                return _words(json.loads(found), depth - 1) or found
            except (ValueError, RecursionError):
                return found
        return found
    if not depth:
        return ""
    if isinstance(found, list):
        listed = [_words(one, depth - 1) for one in found[:_MOST_LISTED]]
        return "; ".join(one for one in listed if one.strip())
    if not isinstance(found, dict):
        return ""
    for key in _KEYS:
        if said := _words(found.get(key), depth - 1):
            place = found.get("loc")
            where = ".".join(map(str, place[1:])) if isinstance(place, list | tuple) else ""
            return f"{where}: {said}" if where else said
    return ""
