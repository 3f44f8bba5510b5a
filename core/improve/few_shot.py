"""The examples of a few-shot prompt and their fields (`Analysis: …`), and what a line of it is called.

Examples are those that `core.counterfactuals.few_shot.shots` finds, or paragraphs that end with one label where these
are more (examples may begin with different labels). A field is what stands behind a label up to the next one; the last
is the example's answer, the one before it what the answer should follow from. Knows no model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import regex

from core.counterfactuals.few_shot import shots
from core.segments import partition

Span = tuple[int, int]
_LABEL = regex.compile(r"^[ \t]*\**([\p{L}][\p{L}\p{M}\p{N} '’_-]{0,40}?)[\p{N}# ]*\**:", regex.MULTILINE)
_GAP = regex.compile(r"\n[ \t\r]*\n\s*")
_WORDS = regex.compile(r"[\p{L}\p{N}]+")


@dataclass(frozen=True, slots=True)
class ShotField:
    """`label`, as written, and the characters of the text behind it, white space at the ends left out."""

    label: str
    start: int
    text: Span


@dataclass(frozen=True, slots=True)
class FewShotExample:
    """One example, numbered from 1, with its fields in order."""

    number: int
    chars: Span
    fields: tuple[ShotField, ...]

    @property
    def answer(self) -> ShotField:
        return self.fields[-1]

    @property
    def reason(self) -> ShotField | None:
        """The field before the answer; None where there is only one."""
        return self.fields[-2] if len(self.fields) > 1 else None


def examples_of(text: str) -> tuple[FewShotExample, ...]:
    """The examples in `text`; none where it has fewer than two alike."""
    blocks = [(shot.start, shot.stop) for shot in shots(text)]
    paragraphs = _paragraphs_alike(text)
    if len(paragraphs) >= max(len(blocks), 2):
        blocks = paragraphs
    found = []
    for number, (start, stop) in enumerate(blocks, start=1):
        labels = list(_LABEL.finditer(text, start, stop))
        ends = [*(one.start() for one in labels[1:]), stop]
        fields = tuple(
            ShotField(label.group(1).strip(), label.start(), _trimmed(text, label.end(), end))
            for label, end in zip(labels, ends)
        )
        found.append(FewShotExample(number, (start, stop), fields))
    return tuple(found)


def _paragraphs_alike(text: str) -> list[Span]:
    """Paragraphs that open with a label and end with the label, filled, that most such paragraphs end with."""
    found: list[tuple[str, Span]] = []
    at = 0
    for gap in (*_GAP.finditer(text), None):
        start, stop = _trimmed(text, at, gap.start() if gap else len(text))
        labels = list(_LABEL.finditer(text, start, stop))
        if labels and labels[0].start() == start and text[labels[-1].end() : stop].strip():
            found.append((labels[-1].group(1).strip().casefold(), (start, stop)))
        at = gap.end() if gap else at
    names = Counter(name for name, _ in found)
    if not names:
        return []
    common, count = names.most_common(1)[0]
    return [span for name, span in found if name == common] if count > 1 else []


def called(text: str, chars: Span) -> str:
    """What the part at `chars` is called: "example 2's Recommendation", else its own first words."""
    for example in examples_of(text):
        if example.chars[0] <= chars[0] < example.chars[1]:
            inside = [
                field for field in example.fields if field.start < chars[1] and field.text[1] > chars[0]
            ]
            if len(inside) == 1:
                return f"example {example.number}'s {inside[0].label}"
            return f"example {example.number}"
    said = " ".join(text[chars[0] : chars[1]].split())
    return f"“{said}”" if len(said) <= 60 else f"“{said[:59]}…”"


def agreeing_answers(text: str, example: FewShotExample, examples: Sequence[FewShotExample]) -> list[str]:
    """Answers of the other examples that are not `example`'s own: those whose reasons read most like its first.

    Each answer counts by its likest example (cosine of words and pairs of words, the reason's last sentence twice).
    """
    own = text[slice(*example.answer.text)]
    mine = _features(text, example)
    best: dict[str, float] = {}
    for other in examples:
        answer = text[slice(*other.answer.text)]
        if other.number != example.number and answer and answer != own:
            best[answer] = max(best.get(answer, -1.0), _cosine(mine, _features(text, other)))
    return sorted(best, key=lambda answer: -best[answer])


def conclusion(text: str, example: FewShotExample) -> str:
    """The last sentence of the reason; "" without one."""
    if example.reason is None:
        return ""
    said = text[slice(*example.reason.text)]
    spans = [said[a:b].strip() for a, b in partition(said, "sentence")] if said else []
    return next((one for one in reversed(spans) if one), "")


def _features(text: str, example: FewShotExample) -> Counter[str]:
    reason = text[slice(*example.reason.text)] if example.reason else text[slice(*example.chars)]
    said = Counter[str]()
    for part, weight in ((reason, 1), (conclusion(text, example), 2)):
        words = [word.casefold() for word in _WORDS.findall(part)]
        for one in (*words, *(f"{a} {b}" for a, b in pairwise(words))):
            said[one] += weight
    return said


def _cosine(one: Counter[str], other: Counter[str]) -> float:
    product = sum(count * other[name] for name, count in one.items())
    size = sum(c * c for c in one.values()) * sum(c * c for c in other.values())
    return product / size**0.5 if size else 0.0


def _trimmed(text: str, start: int, stop: int) -> Span:
    said = text[start:stop]
    if not said.strip():
        return start, start
    return start + len(said) - len(said.lstrip()), start + len(said.rstrip())
