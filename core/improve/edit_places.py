"""The places in which two versions of a prompt differ, each of which can be on (new) or off (old).

By line, a place is a stretch of lines that changed; by word, a stretch of words, where crumbs that both versions have
between two changes of one line (up to two words) belong to the change. All off is the old text, all on the new one,
character for character. Knows no model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from core.compare import Run, word_diff
from core.segments import partition

By = Literal["word", "line"]
CRUMB_WORDS = 2
_MERGED = 12
"""More places than this by word are looked at by line instead."""


@dataclass(frozen=True, slots=True)
class EditPlace:
    """What stood there, what stands there now, and the line of the new text (from 1) that it begins in."""

    old: str
    new: str
    line: int

    @property
    def label(self) -> str:
        """In a few words: `“a” → “b”`, `+ “b”`, `− “a”`."""
        old, new = _short(self.old), _short(self.new)
        if self.old.split() == self.new.split():
            return "white space"
        if not self.old.strip():
            return f"+ “{new}”"
        return f"“{old}” → “{new}”" if self.new.strip() else f"− “{old}”"


@dataclass(frozen=True, slots=True)
class EditPlaces:
    """`pieces` in order: text that both have, or the index of a place."""

    pieces: tuple[str | int, ...]
    places: tuple[EditPlace, ...]

    def mixed(self, on: Sequence[bool]) -> str:
        """The text with the places new where `on` (k,) is True, old elsewhere."""
        out = []
        for piece in self.pieces:
            if isinstance(piece, str):
                out.append(piece)
            else:
                place = self.places[piece]
                out.append(place.new if on[piece] else place.old)
        return "".join(out)


def edit_places(old: str, new: str, by: By | None = None) -> EditPlaces:
    """Where `new` differs from `old`; `by` None: by word, or by line where that makes more than 12 places."""
    found = _places(_line_runs(old, new) if by == "line" else _word_runs(old, new))
    if by is None and len(found.places) > _MERGED:
        return _places(_line_runs(old, new))
    return found


def _line_runs(old: str, new: str) -> Iterator[Run]:
    before = [old[a:b] for a, b in partition(old, "line")]
    after = [new[a:b] for a, b in partition(new, "line")]
    for change, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if change == "equal":
            yield Run("kept", "".join(before[i:j]))
        else:
            yield Run("removed", "".join(before[i:j]))
            yield Run("added", "".join(after[k:m]))


def _word_runs(old: str, new: str) -> Iterator[Run]:
    runs = list(word_diff(old, new))
    for at, run in enumerate(runs):
        inside = 0 < at < len(runs) - 1
        crumb = run.change == "kept" and "\n" not in run.text and len(run.text.split()) <= CRUMB_WORDS
        if inside and crumb:
            yield Run("removed", run.text)
            yield Run("added", run.text)
        else:
            yield run


def _places(runs: Iterator[Run]) -> EditPlaces:
    pieces: list[str | int] = []
    places: list[EditPlace] = []
    line, olds, news = 1, "", ""

    def close() -> None:
        nonlocal line, olds, news
        if olds != news:
            pieces.append(len(places))
            places.append(EditPlace(olds, news, line))
        elif olds:
            pieces.append(olds)
        line += news.count("\n")
        olds = news = ""

    for run in runs:
        if run.change == "removed":
            olds += run.text
        elif run.change == "added":
            news += run.text
        elif run.text:
            close()
            pieces.append(run.text)
            line += run.text.count("\n")
    close()
    return EditPlaces(tuple(pieces), tuple(places))


def _short(text: str, most: int = 60) -> str:
    said = " ".join(text.split())
    return said if len(said) <= most else f"{said[: most - 1]}…"
