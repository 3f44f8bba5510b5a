"""Where the pieces of real prompts end: turns of a conversation, documents or tool outputs, fields of an example.

Read from the text alone, each in one pass: labels of speakers, tags that open and close, headings, the items of a JSON
array, and labels before a colon. Knows nothing of segments, which keep cuts out of characters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import regex

_SPEAKER = regex.compile(
    r"^[ \t]*(?:[#*]{0,3}[ \t]*(?:system|user|human|assistant|model|ai|bot|tool|customer|agent|you)[ \t]*\**:"
    r"|<\|?(?:im_start\|?>[ \t]*)?(?:system|user|human|assistant|model|tool)\b[^>\n]{0,40}>"
    r"|\[(?:system|user|human|assistant|model|tool)\])",
    regex.MULTILINE | regex.IGNORECASE,
)
_TAG = regex.compile(r"^[ \t]*<(/?)([\p{L}_][\w.-]{0,60})(?:[ \t][^>\n]{0,400})?>", regex.MULTILINE)
_HEADING = regex.compile(r"^#{1,6}[ \t]", regex.MULTILINE)
_FIELD = regex.compile(
    r"^[ \t]*(?:[-*][ \t]+)?\**[\p{L}][\p{L}\p{M}\p{N} '’_/-]{0,40}\**[ \t]*[:：]", regex.MULTILINE
)
_ARRAY = regex.compile(r"^[ \t]*\[(?=\s*[\[{\"])", regex.MULTILINE)


def turn_cuts(text: str) -> Iterable[int]:
    """Starts of lines on which a speaker is named ("User:", "### Assistant:", "<|user|>")."""
    return (found.start() for found in _SPEAKER.finditer(text))


def document_cuts(text: str) -> Iterator[int]:
    """Starts and ends of tagged stretches that open and close on lines of their own, headings, items of JSON arrays.

    Within an outer tag its inner tags cut as well ("<documents>" with each "<document>").
    """
    tags = list(_TAG.finditer(text))
    closed = {found[2] for found in tags if found[1]}
    for found in tags:
        if found[2] in closed:
            yield _line_end(text, found.end()) if found[1] else found.start()
    yield from (found.start() for found in _HEADING.finditer(text))
    yield from _item_cuts(text)


def field_cuts(text: str) -> Iterator[int]:
    """Starts of lines that open with a label and a colon ("Question:", "- Dislikes:")."""
    return (found.start() for found in _FIELD.finditer(text))


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _blank_end(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _item_cuts(text: str) -> Iterator[int]:
    """Ends of the items of every JSON array that begins a line; none for one that never ends."""
    at = 0
    while found := _ARRAY.search(text, at):
        cuts, at = _items(text, found.end())
        yield from cuts


def _items(text: str, start: int) -> tuple[list[int], int]:
    """Ends of the items from behind "[" on, and where reading goes on; the comma and the space go with the item."""
    cuts, depth, quoted, at = [start - 1], 1, False, start
    while at < len(text):
        char = text[at]
        if quoted:
            at += char == "\\"
            quoted = char != '"'
        elif char == '"':
            quoted = True
        elif char in "[{":
            depth += 1
        elif char in "]}":
            depth -= 1
            if not depth:
                return [*cuts, _blank_end(text, at + 1)], at + 1
        elif char == "," and depth == 1:
            cuts.append(_blank_end(text, at + 1))
        at += 1
    return [], len(text)
