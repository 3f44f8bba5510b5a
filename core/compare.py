"""Two versions side by side: what changed in the words, which segments belong together, who gained influence.

Texts are compared line by line and then word by word with the standard library's `difflib`; maps are compared
in shares, because raw scores of two prompts or two models have no common scale. Agreement is Spearman's rank
correlation. Knows no model, no page and no colour.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.aggregate import countable, shares
from core.records import Role, Segment, SegmentSalience
from core.segments import partition
from core.text_breaks import words

Change = Literal["kept", "removed", "added"]
State = Literal["kept", "changed", "removed", "added"]

ALIKE = 0.5
"""Least `difflib` ratio for two segments to be versions of each other."""
_MOST_PAIRS = 2_500
_MOST_WORDS = 5_000


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text that both versions have, or only the old (removed) or the new one (added)."""

    change: Change
    text: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A segment in the old version and the one it became; None where it is new or gone."""

    old: Segment | None
    new: Segment | None

    @property
    def state(self) -> State:
        if self.old is None or self.new is None:
            return "added" if self.old is None else "removed"
        return "kept" if self.old.text.strip() == self.new.text.strip() else "changed"

    @property
    def segment(self) -> Segment:
        """The new one where there is one: what a picture names."""
        found = self.new or self.old
        assert found is not None
        return found


@dataclass(frozen=True, slots=True, eq=False)
class SalienceDifference:
    """What gained (positive) and lost share from an old map to a new one.

    `values` (rows, columns) float32, -1 to 1.
    """

    rows: tuple[Pair, ...]
    columns: tuple[Pair, ...]
    values: NDArray[np.float32]


def word_diff(old: str, new: str) -> tuple[Run, ...]:
    """The way from `old` to `new`, word by word; removed stands before added.

    The kept and removed texts together are `old`, the kept and added ones `new`.
    """
    before = [old[a:b] for a, b in partition(old, "line")]
    after = [new[a:b] for a, b in partition(new, "line")]
    found: list[Run] = []
    for change, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if change == "equal":
            found.append(Run("kept", "".join(before[i:j])))
        else:
            found += _word_runs("".join(before[i:j]), "".join(after[k:m]))
    return tuple(_joined(found))


def _pieces(text: str) -> list[str]:
    """Words with the spaces behind them, line ends apart: what reads as one unit of change."""
    out: list[str] = []
    for word in words(text):
        if out and word.isspace() and not {"\n", "\r"} & set(word) and not out[-1].isspace():
            out[-1] += word
        else:
            out.append(word)
    return out


def _word_runs(old: str, new: str) -> Iterator[Run]:
    before, after = _pieces(old), _pieces(new)
    if len(before) * len(after) > _MOST_WORDS**2:
        yield from (Run("removed", old), Run("added", new))
        return
    for change, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if change == "equal":
            yield Run("kept", "".join(before[i:j]))
        else:
            yield Run("removed", "".join(before[i:j]))
            yield Run("added", "".join(after[k:m]))


def _joined(runs: Sequence[Run]) -> Iterator[Run]:
    """Neighbours of one kind as one run, empty ones dropped, within a change the removed text first."""
    for same, group in groupby((run for run in runs if run.text), key=lambda run: run.change == "kept"):
        members = list(group)
        order: tuple[Change, ...] = ("kept",) if same else ("removed", "added")
        for change in order:
            if text := "".join(run.text for run in members if run.change == change):
                yield Run(change, text)


def align(old: Sequence[Segment], new: Sequence[Segment]) -> tuple[Pair, ...]:
    """Every segment of both versions once, in reading order, those that belong together as one pair.

    Equal texts (white space at the ends apart) are paired first; between them, segments that are at least
    `ALIKE` are paired so that order is kept and the likeness is greatest. Template segments are left out.
    """
    left = [s for s in old if s.role is not Role.TEMPLATE]
    right = [s for s in new if s.role is not Role.TEMPLATE]
    matcher = SequenceMatcher(None, [s.text.strip() for s in left], [s.text.strip() for s in right], False)
    pairs: list[Pair] = []
    for change, i, j, k, m in matcher.get_opcodes():
        if change == "equal":
            pairs += map(Pair, left[i:j], right[k:m])
        else:
            pairs += _alike(left[i:j], right[k:m])
    return tuple(pairs)


def _alike(left: Sequence[Segment], right: Sequence[Segment]) -> Iterator[Pair]:
    """Order-keeping pairs with the greatest sum of likeness (Needleman and Wunsch 1970, free gaps)."""
    likeness = np.zeros((len(left), len(right)))
    if likeness.size <= _MOST_PAIRS:
        for i, a in enumerate(left):
            for j, b in enumerate(right):
                ratio = SequenceMatcher(None, a.text.strip(), b.text.strip(), False).ratio()
                likeness[i, j] = ratio if ratio >= ALIKE else 0
    best = np.zeros((len(left) + 1, len(right) + 1))
    for i in range(len(left) - 1, -1, -1):
        for j in range(len(right) - 1, -1, -1):
            paired = best[i + 1, j + 1] + likeness[i, j]
            best[i, j] = max(best[i + 1, j], best[i, j + 1], paired)
    i = j = 0
    while i < len(left) or j < len(right):
        both = i < len(left) and j < len(right)
        if both and likeness[i, j] and best[i, j] == best[i + 1, j + 1] + likeness[i, j]:
            yield Pair(left[i], right[j])
            i, j = i + 1, j + 1
        elif i < len(left) and (not both or best[i, j] == best[i + 1, j]):
            yield Pair(left[i], None)
            i += 1
        else:
            yield Pair(None, right[j])
            j += 1


def difference(old: SegmentSalience, new: SegmentSalience) -> SalienceDifference:
    """New share minus old share, segment by segment; what one version lacks has share 0 there.

    Rows that only one version has are left out, since there is nothing to compare; one row on each side is
    compared whatever it says (the target that the person chose in each).
    """
    rows = _row_pairs(old, new)
    columns = align(old.column_segments, new.column_segments)
    left, right = _places(old.column_segments), _places(new.column_segments)
    values = np.zeros((len(rows), len(columns)), np.float32)
    for index, (i, j) in enumerate(rows):
        before = shares(old.values[i], countable(old.column_segments))
        after = shares(new.values[j], countable(new.column_segments))
        values[index] = [
            (after[right[p.new.index]] if p.new else 0) - (before[left[p.old.index]] if p.old else 0)
            for p in columns
        ]
    pairs = tuple(Pair(old.row_segments[i], new.row_segments[j]) for i, j in rows)
    return SalienceDifference(pairs, columns, values)


def _places(segments: Sequence[Segment]) -> dict[int, int]:
    """Where each segment stands, by its index: a map may hold only some segments of its text."""
    return {segment.index: at for at, segment in enumerate(segments)}


def _row_pairs(old: SegmentSalience, new: SegmentSalience) -> list[tuple[int, int]]:
    if len(old.row_segments) == len(new.row_segments) == 1:
        return [(0, 0)]
    where = [_places(m.row_segments) for m in (old, new)]
    pairs = align(old.row_segments, new.row_segments)
    return [(where[0][p.old.index], where[1][p.new.index]) for p in pairs if p.old and p.new]


def _ranks(values: ArrayLike) -> NDArray[np.float64]:
    """Ranks from 1, equal values sharing their mean rank."""
    _, inverse, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def spearman(one: ArrayLike, other: ArrayLike) -> float | None:
    """Spearman's rank correlation, -1 to 1; None for fewer than three values or where a side is constant."""
    a, b = _ranks(one), _ranks(other)
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    return float(np.corrcoef(a, b)[0, 1])


def agreement(old: SegmentSalience, new: SegmentSalience) -> tuple[float | None, ...]:
    """For each row of `difference`, Spearman's correlation over the prompt segments that both have."""
    pairs = [p for p in align(old.column_segments, new.column_segments) if p.old and p.new]
    before, after = _places(old.column_segments), _places(new.column_segments)
    left = [before[p.old.index] for p in pairs if p.old]
    right = [after[p.new.index] for p in pairs if p.new]
    return tuple(spearman(old.values[i][left], new.values[j][right]) for i, j in _row_pairs(old, new))
