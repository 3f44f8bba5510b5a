"""The parts of a prompt text that may be taken out, over all rows alike: lines, sentences, paragraphs, blocks.

A part that names a column (`{question}`) holds the row's own text and is locked; so is the cue at the end. Cuts are
characters of the text, so what is left reads as it did. Knows no row and no model.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from core.cause import proposed_locks
from core.datasets.plan import variables
from core.records import Role, Segment
from core.segments import partition


@dataclass(frozen=True, slots=True)
class PromptParts:
    """An exact partition of `text`: half-open `spans`, which are `free` (may be taken out), which name `columns`."""

    text: str
    spans: tuple[tuple[int, int], ...]
    free: tuple[int, ...]
    columns: frozenset[int] = frozenset()

    def of(self, index: int) -> str:
        start, stop = self.spans[index]
        return self.text[start:stop]

    def without(self, out: Collection[int]) -> str:
        """The text with the parts `out` cut."""
        return "".join(self.of(index) for index in range(len(self.spans)) if index not in out)

    def label(self, index: int, most: int = 80) -> str:
        """The part's first words on one line."""
        said = " ".join(self.of(index).split())
        return said if len(said) <= most else f"{said[: most - 1]}…"


def prompt_parts(text: str, by: str = "line", columns: Collection[str] = ()) -> PromptParts:
    """`text` cut `by` a granularity; `columns`: the names that a part may hold in braces."""
    spans = partition(text, by)
    known = dict.fromkeys(columns, "")
    locked = set(proposed_locks(_segments(text, spans)))
    named = frozenset(at for at, (a, b) in enumerate(spans) if variables(text[a:b], known))
    locked |= named
    free = tuple(at for at, (a, b) in enumerate(spans) if at not in locked and text[a:b].strip())
    return PromptParts(text, tuple(spans), free, named)


def _segments(text: str, spans: Sequence[tuple[int, int]]) -> list[Segment]:
    return [
        Segment(index=at, text=text[a:b], tokens=(at, at + 1), chars=(a, b), role=Role.PROMPT)
        for at, (a, b) in enumerate(spans)
    ]
