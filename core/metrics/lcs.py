"""Longest common subsequence in bit vectors: one machine operation for many cells of the table.

Row i of the classic table is kept as an integer whose bit j is 0 where the table's row grows at column j,
so a cell is a count of zero bits. Knows words only as hashable things.
Source: Hyyrö 2004, "Bit-parallel LCS-length computation revisited".
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence


def _rows(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[int]:
    """Row 0 to len(a) of the table of a against b, as integers of len(b) bits."""
    full = (1 << len(b)) - 1
    where: dict[Hashable, int] = {}
    for j, word in enumerate(b):
        where[word] = where.get(word, 0) | (1 << j)
    row, rows = full, [full]
    for word in a:
        matches = row & where.get(word, 0)
        row = ((row + matches) | (row - matches)) & full
        rows.append(row)
    return rows


def length(a: Sequence[Hashable], b: Sequence[Hashable]) -> int:
    """How many words the longest common subsequence of `a` and `b` has."""
    return len(b) - _rows(a, b)[-1].bit_count()


def indices(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[int]:
    """Ascending indices into `a` of one longest common subsequence with `b`.

    Among several the one that `rouge-score` finds: going back from the end, step in `a` unless staying
    loses a word.
    """
    rows = _rows(a, b)

    def cell(i: int, j: int) -> int:
        return j - (rows[i] & ((1 << j) - 1)).bit_count()

    i, j, found = len(a), len(b), []
    while i > 0 and j > 0:
        if a[i - 1] == b[j - 1]:
            found.append(i - 1)
            i, j = i - 1, j - 1
        elif cell(i, j - 1) > cell(i - 1, j):
            j -= 1
        else:
            i -= 1
    return found[::-1]
