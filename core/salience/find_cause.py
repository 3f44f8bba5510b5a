"""Find the cause: the map proposes, taking out decides.

1. A map ranks the parts that may be left out; the first few are the candidates.
2. All candidates out together, one pass. Where that takes away next to nothing the map missed: all parts together are
   tried, and if even they do nothing, nothing decides the words; else blocks of neighbours, and the parts of the best
   blocks are the candidates (of more blocks, as long as those together do next to nothing).
3. Each candidate out alone: the figures that are shown. Few parts: every part is measured.
4. No single one carries half of the joint effect: pairs among the best, then, where no pair does, candidates
   are put back one by one as long as half of the effect stays, so that three copies are found as well.

Effects are sums over the chosen tokens of the drop in log-probability, nats (`taking_out.py`). Knows no page.
Source: the joint check and the thresholds are this project's own, measured in docs/methods/find_cause.md;
putting back one by one is the minimising step of Zeller and Hildebrandt 2002, "Simplifying and Isolating
Failure-Inducing Input".
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from core.aggregate import select
from core.cause import Cause, CauseRequest, Removal, Verdict
from core.errors import AppError
from core.models.language_model import LanguageModel
from core.records import SalienceRequest, Tokens
from core.salience import best_map, method
from core.salience.hierarchical import neighbours
from core.salience.taking_out import TakingOut

Floats = NDArray[np.float32]
ENOUGH = 0.9
"""A pair that carries this share of the joint effect is the cause: no further pair is tried. Parts whose effects alone
are alike to this share are told apart by the map."""
BLOCKS = 2
"""So many of the blocks that matter most are looked into first."""
OnMeasured = Callable[[float, Cause], None]
"""Called after each pass with the share done (a guess) and what is known by then, verdict "measuring"."""


def find_cause(
    model: LanguageModel,
    request: CauseRequest,
    tokens: Tokens,
    *,
    map_scores: Floats | None = None,
    on_measured: OnMeasured | None = None,
    between: Callable[[], None] | None = None,
    stop: threading.Event | None = None,
) -> Cause:
    """Which parts of the prompt caused the chosen words.

    `map_scores` (S,) ranks the parts where the map is known already; `between` is called before each pass.
    Raises: AppError where the model tells no log-probabilities or no part may be taken out; Stopped.
    """
    if not model.capabilities.logprobs:
        why = model.capabilities.why.get("logprobs", "it gives no log-probabilities")
        raise AppError(f"Taking out cannot be measured with {model.spec.name}: {why}.")
    if not request.free:
        raise AppError(
            "No part of this prompt may be taken out: every one is locked.",
            hint="Unlock one, or choose a finer granularity.",
        )
    return _Search(model, request, tokens, on_measured, between, stop).run(map_scores)


class _Search:
    """One search; `removals` is everything measured so far."""

    def __init__(
        self,
        model: LanguageModel,
        request: CauseRequest,
        tokens: Tokens,
        on_measured: OnMeasured | None,
        between: Callable[[], None] | None,
        stop: threading.Event | None,
    ) -> None:
        self.model, self.request, self.tokens, self.stop = model, request, tokens, stop
        self.between, self.on_measured, self.settings = between, on_measured, request.settings
        self.started = time.perf_counter()
        self.removals: list[Removal] = []
        self.candidates: list[int] = []
        self.joint: Removal | None = None
        self.scores: Floats | None = None
        self.note, self.escalated = "", False
        self.last: int | None = None
        self.planned = 1

    def run(self, map_scores: Floats | None) -> Cause:
        s, free = self.settings, list(self.request.free)
        self.scores = map_scores if map_scores is not None else self._map()
        order = free
        if self.scores is not None:
            # Where a map's sign means nothing its size proposes.
            by_size = s.map_method and not method(s.map_method).sign_holds
            ranked = np.abs(self.scores) if by_size else self.scores
            order = sorted(free, key=lambda i: -float(ranked[i]))
        self.order = list(order)
        self.out = TakingOut(
            self.model, self.tokens, self.request.targets, self.request.parts,
            stop=self.stop, between=self.between,
        )  # fmt: skip
        everything = len(free) <= s.measure_all or self.scores is None
        self.planned = (len(free) if everything else min(s.candidates, len(free))) + 1
        if everything:
            for index in order:
                self._take((index,))
            strongest = max(free, key=self._alone)
            if self.scores is None:
                order = sorted(free, key=lambda i: -self._alone(i))
            elif strongest not in order[: s.candidates]:
                order = [strongest, *(i for i in order if i != strongest)]
        self._together(order)
        self._alone_each()
        return self._judge()

    def _map(self) -> Floats | None:
        """The map's score of each part, (S,); None where the model cannot be mapped."""
        r = self.request
        if not self.settings.map_method:
            return None
        if best_map(self.model.capabilities, self.settings.map_method)[0] is None:
            self.note = "This model cannot be mapped, so every part is measured."
            return None
        asked = SalienceRequest(r.model, r.ids, r.prompt_len, self.settings.map_method, r.targets)
        matrix = method(self.settings.map_method).run(self.model, asked, tokens=self.tokens, stop=self.stop)
        self.note = matrix.note
        scores = select(matrix, np.ones(len(r.targets), np.float32))
        return np.array([scores[a:b].sum() for a, b in r.parts], np.float32)

    def _together(self, order: Sequence[int]) -> None:
        """The candidates and their joint effect; where it is next to nothing, the parts of the blocks that matter."""
        self._out_together(order[: self.settings.candidates])
        if self._matters() or len(self.candidates) == len(order):
            return
        self.escalated = True
        self._out_together(order)
        if not self._matters():
            return  # nothing that may be taken out decides the words
        groups = neighbours(self.request, self.tokens)
        effects = {group: _strength(self._take(group)) for group in groups}
        ranked = sorted(groups, key=lambda group: -effects[group])
        count = BLOCKS
        while count < len(ranked):
            # Blocks that say the same each do little alone, so more of them are looked into until they matter.
            inside = {i for group in ranked[:count] for i in group}
            self._out_together([i for i in order if i in inside])
            if self._matters():
                return
            count *= 2
        self._out_together(order)

    def _out_together(self, chosen: Sequence[int]) -> None:
        self.candidates = list(chosen)
        self.joint = self._take(tuple(self.candidates))
        while np.isnan(self.joint.effect_nats) and len(self.candidates) > 1:
            # Something must stay before the answer: the weakest, looked at alone below.
            self.last = self.candidates.pop()
            self.joint = self._take(tuple(self.candidates))

    def _matters(self) -> bool:
        return self.joint is not None and self.joint.matters(self.settings)

    def _alone_each(self) -> None:
        """Each candidate alone, unless together they do nothing."""
        assert self.joint is not None
        if not self.joint.matters(self.settings):
            if self.last is not None:
                self._take((self.last,))
            return
        self.planned = len(self.removals) + sum((i,) not in self._done() for i in self.candidates)
        for index in self.candidates:
            self._take((index,))

    def _judge(self) -> Cause:
        s, joint = self.settings, self.joint
        assert joint is not None
        singles = sorted((one for one in self.removals if len(one.parts) == 1), key=_strength, reverse=True)
        best = singles[0] if singles else joint
        whole = max(joint.effect_nats if joint.effect_nats == joint.effect_nats else 0.0, 0.0)
        if best.matters(s) and best.carries(joint, s):
            return self._cause("one", self._leading(singles, best).parts)
        if not joint.matters(s):
            return self._cause("none", ())
        # What the map proposed first, and what measured strongest: copies say little alone.
        near = list(dict.fromkeys([*self.candidates, *(one.parts[0] for one in singles)]))
        among = range(min(s.pairs_among, len(near)))
        self.planned = len(self.removals) + len(among) * (len(among) - 1) // 2
        pair: Removal | None = None
        for a, b in sorted(combinations(among, 2), key=sum):
            pair = max(pair or joint, self._take(tuple(sorted((near[a], near[b])))), key=_pair_strength)
            if _pair_strength(pair) >= ENOUGH * whole:
                break
        if pair is not None and len(pair.parts) == 2 and pair.effect_nats >= s.half * whole:
            return self._cause("several", pair.parts)
        kept = self._put_back(s.half * whole)
        if kept is not None:
            several = self._cause("several", kept.parts)
            if several.redundant:
                return several
        # Losing a whole prompt's worth of text moves any words a little: a spread effect must be larger than that.
        return self._cause("spread" if whole >= s.kept_nats else "none", ())

    def _leading(self, singles: Sequence[Removal], best: Removal) -> Removal:
        """The largest effect alone; of parts that do as much, to a tenth, the one that the map puts first."""
        if self.scores is None or best.effect_nats != best.effect_nats:
            return best
        place = {index: rank for rank, index in enumerate(self.order)}
        alike = [one for one in singles if one.effect_nats >= ENOUGH * best.effect_nats]
        return min(alike, key=lambda one: place[one.parts[0]])

    def _put_back(self, enough: float) -> Removal | None:
        """The candidates that cannot be put back without losing the effect; None where that is most of them."""
        left = sorted(self.candidates)
        self.planned = len(self.removals) + len(left)
        for index in reversed(self.candidates):
            fewer = tuple(i for i in left if i != index)
            if fewer and self._take(fewer).effect_nats >= enough:
                left = list(fewer)
        few = 1 < len(left) <= max(3, len(self.candidates) // 2)
        return self._take(tuple(left)) if few else None

    def _alone(self, index: int) -> float:
        return _strength(self.out((index,)))

    def _done(self) -> set[tuple[int, ...]]:
        return {one.parts for one in self.removals}

    def _take(self, parts: tuple[int, ...]) -> Removal:
        found = self.out(parts)
        if found.parts not in self._done():
            self.removals.append(found)
            if self.on_measured is not None:
                share = min(len(self.removals) / max(self.planned, len(self.removals)), 1.0)
                self.on_measured(share, self._cause("measuring", ()))
        return found

    def _cause(self, verdict: Verdict, parts: tuple[int, ...]) -> Cause:
        return Cause(
            request=self.request,
            verdict=verdict,
            parts=parts,
            candidates=tuple(self.candidates),
            joint=self.joint,
            removals=tuple(self.removals),
            map_scores=self.scores,
            map_note=self.note,
            escalated=self.escalated,
            passes=self.out.passes,
            seconds=time.perf_counter() - self.started,
        )


def _pair_strength(one: Removal) -> float:
    return _strength(one) if len(one.parts) == 2 else -np.inf


def _strength(one: Removal) -> float:
    return one.effect_nats if one.effect_nats == one.effect_nats else -np.inf
