"""What changed since the run before: the answer's words, and which lines gained or lost influence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.compare import Run, align, word_diff
from core.records import Segment
from core.token_view.names import part_names
from core.ui.salience_page.reasons import percent
from core.ui.salience_text import Card
from core.ui.salience_text.why import pieces

LEAST_CHANGE = 0.03
MOST_MOVES = 3
_KEPT = 60
"""Characters of kept words that are shown beside changed ones; the changed ones are never cut."""


def shortened(runs: Sequence[Run]) -> list[Run]:
    """`runs` with long stretches of kept words cut in their middle."""
    made = []
    for at, run in enumerate(runs):
        text = run.text
        if run.change == "kept" and len(text) > 2 * _KEPT:
            head = "" if at == 0 else text[:_KEPT].rsplit(" ", 1)[0]
            tail = "" if at == len(runs) - 1 else text[-_KEPT:].split(" ", 1)[-1]
            text = f"{head} … {tail}"
        made.append(Run(run.change, text))
    return made


def diff(old: str, new: str) -> list[tuple[str, str]]:
    """Two answers' words as (tag, text), the old ones struck out and the new ones marked."""
    return pieces(shortened(word_diff(old.strip(), new.strip())))


def moves(
    old: Sequence[Segment],
    old_shares: NDArray[np.float32],
    new: Sequence[Segment],
    new_shares: NDArray[np.float32],
    unit: str,
) -> list[tuple[str, str, str, str]]:
    """(part, share before, share after, its text) of what gained or lost most, the largest change first."""
    old_names, new_names = part_names(old, unit), part_names(new, unit)
    found = []
    for pair in align(old, new):
        before = float(abs(old_shares[pair.old.index])) if pair.old else 0.0
        after = float(abs(new_shares[pair.new.index])) if pair.new else 0.0
        if abs(after - before) < LEAST_CHANGE or not pair.segment.text.strip():
            continue
        name = new_names[pair.new.index] if pair.new else f"{old_names[pair.segment.index]}, gone"
        marks = (
            "new" if pair.old is None else percent(before),
            "gone" if pair.new is None else percent(after),
        )
        found.append((abs(after - before), (name, *marks, pair.segment.text.strip())))
    found.sort(key=lambda one: -one[0])
    return [(name, before, after, text) for _, (name, before, after, text) in found[:MOST_MOVES]]


def card(old: str, new: str, moved: Sequence[tuple[str, str, str, str]]) -> Card:
    """What stands above the list after a run."""
    same = old.split() == new.split()
    return Card(
        "The answer stayed the same" if same else "What changed",
        [] if same else diff(old, new),
        ["Influence on the chosen words, before → after:"] if moved else [],
        moved,
        [("dismiss", "Close", "")],
    )
