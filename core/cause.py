"""What *Find the cause* asks and what it found, as plain data and in words.

A part is a segment of the prompt that may be taken out; its effect is by how many nats the chosen words become
less likely without it (positive: the part made them more likely), with the ids cut, never made again from
text. What was not measured is NaN or None here, never 0. Knows no model; `core.salience.find_cause` measures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import regex
from numpy.typing import NDArray

from core.errors import AppError
from core.records import ModelSpec, Segment, digest

Span = tuple[int, int]
Verdict = Literal["measuring", "one", "several", "spread", "none"]

_CUE = regex.compile(r"[:：?？؟=>→\-–—]\s*$")
_ENDED = regex.compile(r"[\p{SB=STerm}\p{SB=ATerm}\p{Pe}\p{Pf}\"'*`|;]\s*$")


@dataclass(frozen=True, slots=True)
class CauseSettings:
    """The thresholds of the search; docs/methods/find_cause.md says where the defaults come from."""

    map_method: str = "gim"
    """The salience method that proposes; "": none does, and every part is measured."""
    candidates: int = 5
    """How many of the map's strongest parts are measured."""
    joint_nats: float = 1.0
    """Candidates that take away less than this together decide nothing: look further."""
    kept_nats: float = 3.0
    """The same where the words stay the likeliest even so (the model would write them anyway), and where no small
    group of parts carries the effect."""
    half: float = 0.5
    """The share of the joint effect from which on a part alone, or a pair, is the cause."""
    measure_all: int = 12
    """Up to so many parts all are measured, whatever the map says."""
    pairs_among: int = 4
    sure_nats: float = 14.0
    """From here on (a million times less likely) the words are as good as impossible: what further parts take away on
    top of it is no sign of a cause that the part alone does not carry."""

    def __post_init__(self) -> None:
        for label, value, low, high in (
            ("The number of candidates", self.candidates, 1, 100),
            ("The joint effect that counts (nats)", self.joint_nats, 0, 100),
            ("The joint effect that counts where the answer stays (nats)", self.kept_nats, 0, 100),
            ("The share that makes a cause", self.half, 0, 1),
            ("The number of parts up to which all are measured", self.measure_all, 0, 1000),
            ("The number of parts whose pairs are tried", self.pairs_among, 2, 10),
            ("The effect that makes words impossible (nats)", self.sure_nats, 1, 1000),
        ):
            if not low <= value <= high:
                raise AppError(f"{label} should be {low} to {high:,}, but it is {value!r}.")


@dataclass(frozen=True, slots=True)
class CauseRequest:
    """Which words of which answer, and which parts may have caused them: hashable, the cache's key.

    `targets` are the chosen words, `parts` what the prompt consists of for the reader, both half-open token
    spans in order and apart; `locked` are indices of parts that stay in whatever happens.
    """

    model: ModelSpec
    ids: tuple[int, ...]
    prompt_len: int
    targets: tuple[Span, ...]
    parts: tuple[Span, ...]
    locked: tuple[int, ...] = ()
    settings: CauseSettings = CauseSettings()

    def __post_init__(self) -> None:
        size = len(self.ids)
        for name, spans, low, high in (
            ("chosen words", self.targets, max(self.prompt_len, 1), size),
            ("parts", self.parts, 0, self.prompt_len),
        ):
            at = low
            for start, stop in spans:
                if not at <= start < stop <= high:
                    raise AppError(
                        f"The {name} should be token spans within {low:,} to {high:,}, in order and apart, "
                        f"but there is {start}:{stop}."
                    )
                at = stop
        if not self.targets:
            raise AppError("No words of the answer are chosen.", hint="Choose the words to explain.")
        for index in self.locked:
            if not 0 <= index < len(self.parts):
                raise AppError(f"A locked part should be 0 to {len(self.parts) - 1}, but it is {index}.")

    @property
    def free(self) -> tuple[int, ...]:
        """Indices of the parts that may be taken out."""
        return tuple(index for index in range(len(self.parts)) if index not in self.locked)

    @property
    def key(self) -> str:
        """Content address; the model's display name does not count."""
        m, s = self.model, self.settings
        return digest(
            "cause",
            (m.path, m.backend, m.revision, m.dtype, m.quantization, m.device),
            (self.ids, self.prompt_len, self.targets, self.parts, sorted(self.locked)),
            (
                s.map_method,
                s.candidates,
                s.joint_nats,
                s.kept_nats,
                s.half,
                s.measure_all,
                s.pairs_among,
                s.sure_nats,
            ),
        )


@dataclass(frozen=True, slots=True)
class Removal:
    """Some parts taken out together. `turns`: the likeliest words are others now; None where not known."""

    parts: tuple[int, ...]
    effect_nats: float
    """NaN: cannot be measured, because nothing would be left before the answer."""
    turns: bool | None = None
    at_least: bool = False
    """The effect is at least so large: the model tells no more."""

    def matters(self, settings: CauseSettings) -> bool:
        """Whether so much is gone that these parts have a say in the words."""
        least = settings.joint_nats
        if self.turns is False:
            least = max(least, settings.kept_nats)
        return self.effect_nats >= least

    def carries(self, joint: Removal, settings: CauseSettings) -> bool:
        """Whether this alone is enough of what `joint` does: half of it, or all that can be told apart."""
        whole = max(joint.effect_nats if joint.effect_nats == joint.effect_nats else 0.0, 0.0)
        sure = settings.sure_nats if self.turns is not False else math.inf
        return self.effect_nats >= settings.half * whole or self.effect_nats >= sure

    @property
    def words(self) -> str:
        """As `less_likely`: "at least 210 times less likely"."""
        said = less_likely(self.effect_nats)
        return f"at least {said}" if self.at_least and not said.startswith("more than") else said

    @property
    def times(self) -> float:
        """How many times less likely the chosen words became (below 1: more likely)."""
        return math.exp(min(self.effect_nats, 700.0))


@dataclass(frozen=True, slots=True, eq=False)
class Cause:
    """What was measured so far (`verdict` "measuring") or in the end, and what follows from it.

    - "one": the part in `parts` alone carries at least half of what all candidates do together
    - "several": the parts in `parts` carry it together; where they are `redundant` they say the same: little
      changes without one, much without all of them
    - "spread": the candidates matter together, but no small group of them carries half of it
    - "none": nothing that may be taken out decides these words
    """

    request: CauseRequest
    verdict: Verdict
    parts: tuple[int, ...]
    candidates: tuple[int, ...]
    """The parts taken out together, the map's strongest first."""
    joint: Removal | None
    removals: tuple[Removal, ...]
    """Everything that was measured, in the order it was."""
    map_scores: NDArray[np.float32] | None = None
    """The map's score of each part, (S,), in the map's own units: what it proposed, no effect."""
    map_note: str = ""
    """Why another map than the one asked for proposed, for the page; usually empty."""
    escalated: bool = False
    """The first candidates took away too little together, so that further parts were tried."""
    passes: float = 0.0
    """What it cost, in passes over the whole text (a pass from a shared beginning counts as its part)."""
    seconds: float = 0.0

    @property
    def effect_nats(self) -> NDArray[np.float32]:
        """The effect of each part alone, (S,); NaN where it was not measured."""
        out = np.full(len(self.request.parts), np.nan, np.float32)
        for one in self.singles:
            out[one.parts[0]] = one.effect_nats
        return out

    @property
    def turns(self) -> tuple[bool | None, ...]:
        """Whether the likeliest words are others without the part, for each part; None: not known."""
        known = {one.parts[0]: one.turns for one in self.singles}
        return tuple(known.get(index) for index in range(len(self.request.parts)))

    @property
    def singles(self) -> tuple[Removal, ...]:
        """Parts that were taken out alone, the largest effect first."""
        alone = [one for one in self.removals if len(one.parts) == 1]
        return tuple(
            sorted(alone, key=lambda one: -one.effect_nats if one.effect_nats == one.effect_nats else 1e9)
        )

    @property
    def pairs(self) -> tuple[Removal, ...]:
        """Two parts that were taken out together, the largest effect first."""
        two = [one for one in self.removals if len(one.parts) == 2]
        return tuple(sorted(two, key=lambda one: -one.effect_nats))

    @property
    def found(self) -> Removal | None:
        """The measured effect of `parts` together; None where no cause is named."""
        return next((one for one in self.removals if self.parts and one.parts == self.parts), None)

    @property
    def redundant(self) -> bool:
        """Whether the parts of the cause say the same: alone they do less than half of what they do together."""
        alone = [max(one.effect_nats, 0.0) for one in self.singles if one.parts[0] in self.parts]
        return self.found is not None and sum(alone) < 0.5 * self.found.effect_nats

    @property
    def also(self) -> tuple[int, ...]:
        """Beside the one cause: parts that alone carry half of the joint effect as well."""
        if self.verdict != "one" or self.joint is None:
            return ()
        settings = self.request.settings
        return tuple(
            one.parts[0]
            for one in self.singles
            if one.parts != self.parts
            and one.effect_nats >= settings.joint_nats
            and one.carries(self.joint, settings)
        )


def less_likely(effect_nats: float) -> str:
    """An effect in words: "210 times less likely", "as likely as before"."""
    factor = math.exp(min(abs(effect_nats), 50.0))
    if factor < 1.05:
        return "as likely as before"
    way = "less" if effect_nats > 0 else "more"
    if factor > 1e6:
        return f"more than a million times {way} likely"
    return f"{factor:,.2g} times {way} likely" if factor < 10 else f"{factor:,.0f} times {way} likely"


def named(indices: Sequence[int], unit: str = "line", numbers: Sequence[int] | None = None) -> str:
    """Parts as people call them: "line 4", "lines 3 and 9", "lines 1, 3 and 9"; `numbers` of all parts."""
    shown = [f"{(numbers[i] if numbers is not None else i + 1):,}" for i in sorted(indices)]
    if len(shown) == 1:
        return f"{unit} {shown[0]}"
    return f"{unit}s {', '.join(shown[:-1])} and {shown[-1]}"


def sentence(cause: Cause, unit: str = "line", numbers: Sequence[int] | None = None) -> str:
    """What was found, for the page: plain text. `numbers` are those shown beside the parts."""

    def name(indices: Sequence[int]) -> str:
        return named(indices, unit, numbers)

    joint = cause.joint
    if cause.verdict == "measuring" or joint is None:
        return (
            "Still measuring." if cause.verdict == "measuring" else "Nothing can be taken out of this prompt."
        )
    these = (
        f"Without {'these' if len(joint.parts) > 1 else 'this'} {unit}{'s' if len(joint.parts) > 1 else ''}"
    )
    together = f"{these} the words are {joint.words}"
    if cause.verdict == "none":
        tried = len(joint.parts)
        every = tried == len(cause.request.free)
        what = f"all {tried:,} {unit}s" if every and tried > 1 else name(joint.parts)
        locked = " that may be taken out" if cause.request.locked and every else ""
        return (
            f"Nothing that matters was found: without {what}{locked} the words are "
            f"{joint.words}{', and stay the likeliest' if joint.turns is False else ''}."
        )
    found = cause.found
    if cause.verdict == "one" and found is not None:
        if len(joint.parts) == 1:
            return f"Without {name(cause.parts)} the words are {found.words}."
        alone = f"{name(cause.parts)} alone"
        if cause.also:
            needed = [one for one in cause.singles if one.parts[0] in cause.also]
            each = ", ".join(f"without {name(one.parts)} {one.words}" for one in (found, *needed))
            verb = "is" if len(needed) == 1 else "are"
            return f"{together}; {name(cause.parts)} leads, and {name(cause.also)} {verb} needed as well: {each}."
        if found.effect_nats >= 0.8 * joint.effect_nats:
            return f"{together}; {alone} explains it."
        return f"{together}; {alone} makes them {found.words}."
    most = cause.singles[0] if cause.singles else None
    if cause.verdict == "several" and found is not None:
        largest = max((one.effect_nats for one in cause.singles if one.parts[0] in cause.parts), default=0.0)
        both = "both" if len(cause.parts) == 2 else f"all {len(cause.parts)}"
        those = name(cause.parts)
        those = f"{those[:1].upper()}{those[1:]}"
        together = f"without {both} the words are {found.words}"
        if cause.redundant:
            return f"{those} say the same: {together}, without one of them {less_likely(largest)}."
        return f"{those} carry it together: {together}, without one of them at most {less_likely(largest)}."
    rest = f"; the strongest, {name(most.parts)}, alone makes them {most.words}" if most else ""
    return f"{together}, but no single {unit} carries it{rest}."


def proposed_locks(parts: Sequence[Segment]) -> tuple[int, ...]:
    """Indices of the parts to lock unless the person says otherwise: the question or the cue at the end.

    From the end upwards: a part that ends in a colon, an arrow or a question mark, and a last one that stops
    in mid-sentence. Without it the answer has nothing to answer, so taking it out tells nothing about causes.
    One part at least stays free.
    """
    locked: list[int] = []
    for index in range(len(parts) - 1, 0, -1):
        text = parts[index].text
        unfinished = (
            index == len(parts) - 1 and "\n" not in text[len(text.rstrip()) :] and not _ENDED.search(text)
        )
        if not (_CUE.search(text) or unfinished):
            break
        if locked and not _asks(parts[index].text):
            break
        locked.append(index)
    return tuple(sorted(locked))


def _asks(text: str) -> bool:
    return regex.search(r"[?？؟]\s*$", text) is not None


def measuring(cause: Cause, removals: Sequence[Removal]) -> Cause:
    """`cause` with what is known by now, for those who watch."""
    return replace(cause, removals=tuple(removals))
