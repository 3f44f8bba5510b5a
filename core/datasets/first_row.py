"""Whether the first row of a table of cells names the columns, or is a row like the others.

A guess where it says nothing that people call columns; the guess is told and can be turned round: the file is not
read again for that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import regex

from core.datasets.bounds import missing
from core.datasets.names import (
    CALLED,
    CHATS,
    CHOICES,
    CONTEXTS,
    PROMPTS,
    SOURCES,
    SYSTEMS,
    TARGETS,
    plain_name,
)

_USUAL = frozenset((*PROMPTS, *TARGETS, *CHATS, *SOURCES, *CALLED, *SYSTEMS, *CONTEXTS, *CHOICES))
_NAME_CHARS = 60
_NUMBER = regex.compile(r"[+-]?[\d.,]+%?")
_SAMPLE = 30


@dataclass(frozen=True, slots=True)
class FirstRow:
    """The first row of a table: its line, its cells in order, the names that they give, and how it was taken."""

    line: int
    cells: tuple[Any, ...]
    names: tuple[str, ...]
    """One a column, as the row would name them."""
    named: bool
    """Whether it was taken as names."""
    sure: bool
    """Whether it says something that people call columns."""

    @property
    def places(self) -> tuple[str, ...]:
        """What the columns are called where the row is no names."""
        return places(len(self.names))

    def row(self) -> Mapping[str, Any]:
        """The row as one of the rows, by `places`."""
        return dict(zip(self.places, self.cells))


def places(count: int) -> tuple[str, ...]:
    """`column 1`, `column 2`, …"""
    return tuple(f"column {place}" for place in range(1, count + 1))


def guess(cells: Sequence[Any], below: Sequence[Sequence[Any]]) -> tuple[bool, bool]:
    """(whether `cells` are names, whether that is sure), by what they say and what stands `below` them."""
    said = [str(cell).strip() for cell in cells if not _blank(cell)]
    plain = [plain_name(cell) for cell in said]
    if any(name in _USUAL or name.startswith("__expected") for name in plain):
        return True, True
    texts = all(isinstance(cell, str) for cell in cells if not _blank(cell))
    alone = len(set(plain)) == len(plain)
    again = any(
        not _blank(cell) and any(place < len(row) and row[place] == cell for row in below[:_SAMPLE])
        for place, cell in enumerate(cells)
    )
    return bool(said) and texts and alone and not again and not any(map(_like_text, said)), False


def _like_text(cell: str) -> bool:
    """Whether a cell reads like what stands in rows: a sentence, a question, a number."""
    return (
        len(cell) > _NAME_CHARS
        or "\n" in cell
        or cell[-1:] in ".?!:。？！"
        or cell.count(" ") > 4
        or _NUMBER.fullmatch(cell) is not None
    )


def _blank(cell: Any) -> bool:
    return missing(cell) or (isinstance(cell, str) and not cell.strip())
