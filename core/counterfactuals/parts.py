"""The pieces of a prompt that are rewritten one at a time: their text without the white space around."""

from __future__ import annotations

from collections.abc import Iterator

from core.segments import partition

PARTS: tuple[tuple[str, str], ...] = (
    ("sentence", "Each sentence"),
    ("line", "Each line"),
    ("paragraph", "Each paragraph"),
    ("prompt", "The whole prompt"),
)


def parts(prompt: str, part: str) -> Iterator[tuple[int, int]]:
    """Half-open character spans of the pieces that hold a letter, in their order."""
    spans = ((0, len(prompt)),) if part == "prompt" else partition(prompt, part)
    for start, stop in spans:
        text = prompt[start:stop]
        if any(c.isalpha() for c in text):
            yield start + len(text) - len(text.lstrip()), start + len(text.rstrip())
