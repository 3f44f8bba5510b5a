"""The header of a table of cells (CSV, a sheet): which row it is, what its columns are called, how a row reads.

Titles above the header are told and left out; empty columns behind it are dropped; a column without a name gets one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.datasets.bounds import Bounds, missing
from core.datasets.first_row import FirstRow, guess, places
from core.datasets.names import CHATS, PROMPTS, plain_name
from core.datasets.rows import Row
from core.errors import AppError

_AGREEING = 2
"""So many rows below must be as wide as the header for lines above it to be titles."""


@dataclass(frozen=True, slots=True)
class TableHead:
    """Names of the columns, by place; "" for an empty column that is dropped."""

    names: tuple[str, ...]
    above: int
    """How many rows stand above the names; -1: the first row is a row, and the columns go by their places."""
    notes: tuple[str, ...] = ()
    doubtful: frozenset[int] = frozenset()
    """Columns without a name: they get one only in rows that have something there."""
    first: FirstRow | None = None
    """The row that the names come from, or might have come from; its line is not known here (0)."""

    def first_at(self, line: int) -> FirstRow | None:
        """`first`, which begins at `line`."""
        return replace(self.first, line=line) if self.first is not None else None

    def row(self, cells: Sequence[Any]) -> Row | str:
        """The row of `cells`, or why it is none."""
        if len(cells) != len(self.names):
            extra = cells[len(self.names) :]
            if len(cells) < len(self.names) or any(not _blank(cell) for cell in extra):
                return f"The row has {len(cells):,} cells, but the header names {len(self.names):,} columns."
        return {
            name: cell
            for place, (name, cell) in enumerate(zip(self.names, cells))
            if place not in self.doubtful or not _blank(cell)
        }


def find_head(rows: Sequence[Sequence[Any]], bounds: Bounds) -> TableHead:
    """The header among the first rows. Raises `AppError` for names given twice, or too many of them."""
    above = _titles(rows)
    cells = ["" if _blank(cell) else str(cell).strip() for cell in rows[above]]
    while len(cells) > 1 and not cells[-1]:
        cells.pop()
    if len(cells) > bounds.max_columns:
        raise AppError(
            f"The file names {len(cells):,} columns; at most {bounds.max_columns:,} are read.",
            hint="Load a part of its columns.",
            code="too_large",
        )
    named, sure = guess(rows[above][: len(cells)], rows[above + 1 :])
    if not named and not above:
        raw = tuple(rows[0][: len(cells)])
        return TableHead(places(len(raw)), -1, (), frozenset(), FirstRow(0, raw, _unique(cells), False, sure))
    doubled = sorted(name for name, count in Counter(filter(None, cells)).items() if count > 1)
    if doubled:
        raise AppError(
            f"The file has more than one column called {', '.join(map(repr, doubled[:5]))}.",
            hint="Give each column its own name.",
        )
    names = _unique(cells)
    notes = [f"Left out above the names of the columns: “{_title(row)}”." for row in rows[:above]]
    empty = frozenset(place for place, name in enumerate(cells) if not name)
    first = None if above else FirstRow(0, tuple(rows[0][: len(cells)]), names, True, sure)
    return TableHead(names, above, tuple(notes), empty, first)


def _unique(cells: Sequence[str]) -> tuple[str, ...]:
    """`cells` as names, one a column: an empty one is called by its place, one that came before gets a mark."""
    taken = {name for name in cells if name}
    names: list[str] = []
    for place, name in enumerate(cells, 1):
        fresh = name or f"column {place}"
        while fresh in names or (not name and fresh in taken):
            fresh += "'"
        names.append(fresh)
    return tuple(names)


def _titles(rows: Sequence[Sequence[Any]]) -> int:
    """How many of the first rows are titles: one cell each, above several rows that are equally wide, or above a row
    with the name of a prompt.
    """
    widths = [sum(not _blank(cell) for cell in row) for row in rows]
    for place, width in enumerate(widths):
        if width > 1:
            below = [len(row) for row in rows[place + 1 : place + 1 + _AGREEING]]
            full = len(rows[place])
            named = any(
                plain_name(str(cell)) in (*PROMPTS, *CHATS) for cell in rows[place] if not _blank(cell)
            )
            alike = len(below) >= (1 if named else _AGREEING) and all(size == full for size in below)
            return place if place and alike and len(rows[0]) in (1, full) else 0
        if place > 5:
            break
    return 0


def _title(row: Sequence[Any]) -> str:
    text = " ".join(str(cell).strip() for cell in row if not _blank(cell))
    return text if len(text) <= 80 else f"{text[:80]}…"


def _blank(cell: Any) -> bool:
    return missing(cell) or (isinstance(cell, str) and not cell.strip())
