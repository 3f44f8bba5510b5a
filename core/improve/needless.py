"""Redundant and needless text: parts that change no answer, pairs that matter only together, the shortest prompt.

A part is *needless on these rows* where taking it out changes no answer; of R rows without a change the true share may
still be as high as Wilson's interval says. Pairs are tried among needless parts, the ones that read most alike first
(copies hide each other). The shortest prompt is made greedily on one half of the rows (no row that was right may become
wrong; the longest parts go first, in halves as in delta debugging) and then checked on the other half. Knows no model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations

import numpy as np

from core.improve.prompt_parts import PromptParts
from core.improve.rows import Change, Judged, RowsAsked, change, halves
from core.metrics.shares import wilson

MOST_PAIRS = 15
OnShare = Callable[[float, str], None]
Count = Callable[[str], int]
"""Tokens of a text."""


@dataclass(frozen=True, slots=True)
class WithoutParts:
    """Some parts taken out on all rows: how many answers changed, of how many, and how verdicts went."""

    parts: tuple[int, ...]
    changed: int
    rows: int
    change: Change

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share of answers that change."""
        return wilson(self.changed, self.rows)

    @property
    def needless(self) -> bool:
        return self.rows > 0 and self.changed == 0


@dataclass(frozen=True, slots=True)
class Needless:
    """Every free part alone (in reading order), and pairs of needless ones of which some change an answer together."""

    parts: PromptParts
    singles: tuple[WithoutParts, ...]
    pairs: tuple[WithoutParts, ...]
    pairs_tried: int
    pairs_left: int

    @property
    def needless(self) -> tuple[int, ...]:
        return tuple(one.parts[0] for one in self.singles if one.needless)


@dataclass(frozen=True, slots=True)
class Shortest:
    """`text` without the parts `out`; `work` and `held` set it against the whole on both halves of the rows."""

    text: str
    out: tuple[int, ...]
    tokens: int
    tokens_before: int
    work: Change
    held: Change | None
    """None where there was a single row."""

    @property
    def keeps(self) -> bool:
        """No row of either half became wrong."""
        return self.work.worse == 0 and (self.held is None or self.held.worse == 0)


def needless(parts: PromptParts, ask: RowsAsked, on_share: OnShare | None = None) -> Needless:
    """Takes out each free part alone on all rows, then pairs of those that changed nothing."""
    whole = ask([parts.text])
    singles = []
    for done, index in enumerate(parts.free):
        _tell(on_share, 0.7 * done / max(len(parts.free), 1), "Taking each part out")
        singles.append(_without(parts, (index,), ask, whole))
    some = [one.parts[0] for one in singles if one.needless]
    pairs = sorted(combinations(some, 2), key=lambda pair: -_alike(parts, *pair))
    tried = []
    for done, pair in enumerate(pairs[:MOST_PAIRS]):
        _tell(on_share, 0.7 + 0.3 * done / min(len(pairs), MOST_PAIRS), "Taking out pairs")
        tried.append(_without(parts, pair, ask, whole))
    matter = tuple(sorted((one for one in tried if one.changed), key=lambda one: -one.changed))
    return Needless(parts, tuple(singles), matter, len(tried), len(pairs) - len(tried))


def cost(parts: PromptParts, rows: int) -> int:
    """At most how many answers `needless` asks for."""
    free = len(parts.free)
    return rows * (1 + free + min(free * (free - 1) // 2, MOST_PAIRS))


def shortest(
    parts: PromptParts,
    ask: RowsAsked,
    count: Count,
    *,
    known: Needless | None = None,
    seed: int = 0,
    on_share: OnShare | None = None,
) -> Shortest:
    """The shortest prompt that greedy removal finds; `known` tells which parts to try first."""
    whole = ask([parts.text])
    work, held = halves(len(ask.rows), whole.outcomes[0], seed)
    before = whole.outcomes[0][work], whole.answers[0][work]
    changed = {one.parts[0]: one.changed for one in known.singles} if known else {}
    order = sorted(parts.free, key=lambda i: (changed.get(i, 0), -len(parts.of(i)), i))

    def kept(out: Sequence[int]) -> bool:
        found = ask([parts.without(out)], work)
        after = found.outcomes[0]
        judged = np.isfinite(before[0])
        if judged.any():  # no right row may become wrong, none may become undecided
            return not (judged & ~np.isfinite(after)).any() and not (after[judged] < before[0][judged]).any()
        return bool((found.answers[0] == before[1]).all())  # without a check, the answers themselves

    out: list[int] = []
    waiting = [order] if order else []
    done = 0
    while waiting:
        some = waiting.pop(0)
        _tell(on_share, done / max(len(order), 1), "Making the prompt shorter")
        if kept([*out, *some]):
            out, done = [*out, *some], done + len(some)
        elif len(some) == 1:
            done += 1
        else:
            middle = len(some) // 2
            waiting = [some[:middle], some[middle:], *waiting]
    text = parts.without(out)
    found = ask([text])
    return Shortest(
        text, tuple(sorted(out)), count(text), count(parts.text),
        change(whole.outcomes[0][work], found.outcomes[0][work]),
        change(whole.outcomes[0][held], found.outcomes[0][held]) if held else None,
    )  # fmt: skip


def _without(parts: PromptParts, out: tuple[int, ...], ask: RowsAsked, whole: Judged) -> WithoutParts:
    found = ask([parts.without(out)])
    asked = [at for at in range(len(ask.rows)) if isinstance(ask.prompt(parts.text, at), str)]
    changed = sum(found.answers[0, at] != whole.answers[0, at] for at in asked)
    return WithoutParts(out, changed, len(asked), change(whole.outcomes[0], found.outcomes[0]))


def _alike(parts: PromptParts, i: int, j: int) -> float:
    return SequenceMatcher(None, parts.of(i), parts.of(j), autojunk=False).ratio()


def _tell(on_share: OnShare | None, share: float, said: str) -> None:
    if on_share is not None:
        on_share(share, said)
