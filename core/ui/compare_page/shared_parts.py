"""What several sides reacted to, part by part: one list for all of them, and the sentence that stands above it.

Parts are matched by their text (`core.compare.align`), template and special tokens aside, so that a model whose
tokenizer puts a mark before the text shares a list with one whose does not. Pure functions; no Streamlit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core import aggregate
from core.compare import Pair, Run, agreement, align, word_diff
from core.figures.style import percent
from core.records import Segment, SegmentSalience
from core.ui.shell.bar_table import BarFigure, BarLine

MOST = 12
SAME_REASON, ANOTHER_REASON = 0.7, 0.3
"""Rank agreement from which reasons are called the same, and below which another; a convention."""


@dataclass(frozen=True, slots=True, eq=False)
class SideShares:
    """One side's map of the chosen target: `parts` of its prompt, what a list calls each, `shares` (S,)."""

    name: str
    parts: tuple[Segment, ...]
    names: tuple[str, ...]
    shares: NDArray[np.float32]
    rank_by: aggregate.RankBy = "size"

    @property
    def keep(self) -> NDArray[np.bool_]:
        return aggregate.countable(self.parts)

    @property
    def top(self) -> float:
        """The share that a full bar stands for: the strongest one, with the floor of every map."""
        return aggregate.scale_top(self.shares, self.keep)

    def share(self, part: Segment | None) -> float:
        """The share of a part; 0 for one that is not here."""
        return 0.0 if part is None else float(self.shares[self._place(part)])

    def called(self, part: Segment) -> str:
        return self.names[self._place(part)]

    @property
    def strongest(self) -> Segment | None:
        """The part that leads, where one is decisive."""
        kept = np.flatnonzero(self.keep)
        if aggregate.nothing_decisive(self.shares, self.keep, by=self.rank_by):
            return None
        return self.parts[int(kept[aggregate.strengths(self.shares[kept], self.rank_by).argmax()])]

    def one_row(self, row: Segment) -> SegmentSalience:
        kept = np.flatnonzero(self.keep)
        return SegmentSalience((row,), tuple(self.parts[i] for i in kept), self.shares[kept][None], "sum")

    def _place(self, part: Segment) -> int:
        return next(i for i, own in enumerate(self.parts) if own.index == part.index)


def together(sides: Sequence[SideShares], limit: int = MOST) -> tuple[list[BarLine], str]:
    """A row for each part that the first side has, a bar for each side, strongest first; and what is left out."""
    base = sides[0]
    pairs = [_partners(base, other) for other in sides]
    kept = [part for part, keep in zip(base.parts, base.keep) if keep]
    found = {
        part.index: [side.share(p[part.index]) if part.index in p else None for side, p in zip(sides, pairs)]
        for part in kept
    }
    told = {
        index: float(aggregate.strengths(np.array([share or 0.0 for share in row]), base.rank_by).max())
        for index, row in found.items()
    }
    order = sorted(kept, key=lambda part: -told[part.index])
    top = max(side.top for side in sides)
    lines = [
        BarLine(
            _flat(part.text),
            tuple(
                BarFigure("not there" if share is None else percent(share), share and share / top, series=at)
                for at, share in enumerate(found[part.index])
            ),
            base.called(part),
        )
        for part in order[:limit]
    ]
    left = [max(abs(share or 0) for share in found[part.index]) for part in order[limit:]]
    said = f"{len(left):,} more, at most {percent(max(left))} each." if left else ""
    return lines, said


def _partners(base: SideShares, other: SideShares) -> dict[int, Segment]:
    """The part of `other` that each part of `base` is, by the index in `base`."""
    return {pair.old.index: pair.new for pair in align(base.parts, other.parts) if pair.old and pair.new}


def moved(old: SideShares, new: SideShares, limit: int = MOST) -> tuple[list[BarLine], str]:
    """What gained and lost share from `old` to `new`, the largest change first; and what is left out.

    A bar is the change, in parts of the prompt's influence; its words are the share before and after.
    """
    pairs = align(old.parts, new.parts)
    changes = {id(pair): new.share(pair.new) - old.share(pair.old) for pair in pairs}
    order = sorted(pairs, key=lambda pair: -abs(changes[id(pair)]))
    top = max((abs(change) for change in changes.values()), default=0.0)
    top = max(top, 0.1)  # a change of next to nothing looks like one
    lines = [_moved(pair, changes[id(pair)] / top, old, new) for pair in order[:limit]]
    left = [abs(changes[id(pair)]) for pair in order[limit:]]
    said = f"{len(left):,} more, at most {100 * max(left):.0f} points each." if left else ""
    return lines, said


def _moved(pair: Pair, part: float, old: SideShares, new: SideShares) -> BarLine:
    before, after = old.share(pair.old), new.share(pair.new)
    text = f"{percent(before)} → {percent(after)}"
    owner = new if pair.new is not None else old
    note = owner.called(pair.segment) + {
        "added": ", new", "removed": ", gone", "changed": ", reworded", "kept": "",
    }[pair.state]  # fmt: skip
    changes: tuple[Run, ...] = ()
    if pair.state != "kept":
        changes = word_diff(
            _flat(pair.old.text) if pair.old else "", _flat(pair.new.text) if pair.new else ""
        )
    figure = BarFigure(text, part, series=int(after < before), note=f"{100 * (after - before):+.0f} points")
    return BarLine(_flat(pair.segment.text), (figure,), note, changes=changes)


def _flat(text: str) -> str:
    return text.strip() or "(blank)"


def models_verdict(answers: Sequence[str], sides: Sequence[SideShares], rows: Sequence[Segment]) -> str:
    """ "Same answer, same reason (agreement 0.90)." and its like, over all that answered and were explained.

    `rows` are the explained parts of the answers, one a side.
    """
    said = "Same answer" if len({answer.strip() for answer in answers}) == 1 else "Different answers"
    first = [agreement(sides[0].one_row(rows[0]), s.one_row(r))[0] for s, r in zip(sides[1:], rows[1:])]
    known = [value for value in first if value is not None]
    if not known:
        return f"{said}."
    least = min(known)
    figure = f"(agreement {least:.2f}{' at least' if len(known) > 1 else ''})"
    if least >= SAME_REASON:
        joined = ", same reason" if said == "Same answer" else ", yet for the same reason"
        return f"{said}{joined} {figure}."
    if least >= ANOTHER_REASON:
        return f"{said}, partly for the same reason {figure}."
    leads = [(side, side.strongest) for side in sides]
    told = ", ".join(f"{side.name} reacts most to {side.called(part)}" for side, part in leads if part)
    return f"{said}, for different reasons {figure}{': ' + told if told else ''}."


def versions_verdict(old: str, new: str, before: SideShares, after: SideShares) -> str:
    """What the change of the prompt did: whether the answer changed, and what gained and lost most."""
    said = ["The answer stays the same." if old.strip() == new.strip() else "The answer changes."]
    pairs = align(before.parts, after.parts)
    changes = sorted((after.share(p.new) - before.share(p.old), at) for at, p in enumerate(pairs))
    for word, (change, at) in (("lost", changes[0]), ("gained", changes[-1])) if changes else ():
        if abs(change) < 0.05:
            continue
        pair = pairs[at]
        owner = after if pair.new is not None else before
        shares = f"{percent(before.share(pair.old))} → {percent(after.share(pair.new))}"
        said.append(f"Most influence {word}: {owner.called(pair.segment)} ({shares}).")
    return " ".join(said)
