"""*Does it still say so?*, for models that give text alone: each part taken out, asked again. Are the words gone?

The questions are ordinary prompts, so a service answers them once and keeps them by content
(`Answers.answer_prompts`: progress, Stop, and going on where it was). One greedy answer changes for two or three
harmless lines as well, so this is a filter and no ranking: it never names a share, and never a single culprit. Ties
go by how unlike the answer became (1 − chrF). Knows no model. Measured: docs/methods/still_says.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.errors import AppError
from core.metrics.chrf import METRIC
from core.metrics.metric import MetricRow
from core.metrics.shares import exact

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class PartAsked:
    """One part taken out: in how many of `samples` answers the words are gone, and how unlike they became (0 to 1)."""

    part: int
    gone: int
    samples: int
    unlike: float

    @property
    def changes(self) -> bool:
        """The words are gone in more than half of the answers."""
        return 2 * self.gone > self.samples

    @property
    def interval(self) -> tuple[float, float]:
        """Exact 95 % interval of the share of answers without the words."""
        return exact(self.gone, self.samples)


@dataclass(frozen=True, slots=True)
class StillSays:
    """All parts that were asked about, those that change the answer first; `parts` is how many there are."""

    asked: tuple[PartAsked, ...]
    parts: int

    @property
    def changing(self) -> tuple[int, ...]:
        return tuple(one.part for one in self.asked if one.changes)

    def sentence(self, unit: str = "line") -> str:
        """For the page: "4 of 17 lines change the answer when taken out." """
        count, total = len(self.changing), len(self.asked)
        asked = "" if total == self.parts else f" {self.parts - total:,} more were not asked about."
        verb = "changes" if count == 1 else "change"
        return f"{count:,} of {total:,} {unit}s {verb} the answer when taken out.{asked}"


def without(prompt: str, chars: Span) -> str:
    """`prompt` without the characters `chars`. Raises: AppError for a span outside of it."""
    start, stop = chars
    if not 0 <= start < stop <= len(prompt):
        raise AppError(
            f"A part should lie within the prompt's {len(prompt):,} characters, but it is {start}:{stop}."
        )
    return prompt[:start] + prompt[stop:]


def judge(words: str, before: str, after: Mapping[int, Sequence[str]], parts: int) -> StillSays:
    """What `after` (part -> answers without it) says about the chosen `words` of the answer `before`.

    White space and case at the edges do not count. Raises: AppError without words, or where `before` lacks them.
    """
    wanted = _plain(words)
    if not wanted or wanted not in _plain(before):
        raise AppError(
            "The chosen words should stand in the answer, but they do not.",
            hint="Choose words of the answer.",
        )
    asked = [
        PartAsked(
            part,
            sum(wanted not in _plain(answer) for answer in answers),
            len(answers),
            1 - sum(_alike(answer, before) for answer in answers) / len(answers),
        )
        for part, answers in after.items()
        if answers
    ]
    asked.sort(key=lambda one: (-one.gone / one.samples, -one.unlike, one.part))
    return StillSays(tuple(asked), parts)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _alike(answer: str, before: str) -> float:
    """chrF2 of two answers, 0 to 1."""
    return float(METRIC.score(METRIC.statistics([MetricRow("", answer, before)], "other"))[0]) / 100
