"""Texts that end an answer: where the first of them begins, and how much of a growing answer is sure not to be one.

Knows no model.
"""

from __future__ import annotations

from collections.abc import Sequence


def first(text: str, stops: Sequence[str]) -> int | None:
    """Where the first of `stops` begins in `text`; None where none does."""
    return min((at for mark in stops if mark and (at := text.find(mark)) >= 0), default=None)


def sure(text: str, stops: Sequence[str]) -> str:
    """`text` up to a stop text, and without an ending with which one may begin: what may be shown already."""
    cut = first(text, stops)
    if cut is not None:
        return text[:cut]
    held = max((_begun(text, mark) for mark in stops if mark), default=0)
    return text[: len(text) - held]


def _begun(text: str, mark: str) -> int:
    """How many of the last characters of `text` are the beginning of `mark`."""
    return next(
        (size for size in range(min(len(mark) - 1, len(text)), 0, -1) if text.endswith(mark[:size])), 0
    )
