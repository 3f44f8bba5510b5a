"""Which part of the response is being explained, and how that survives another granularity or answer.

Pure functions; no Streamlit. A target is a stretch of the response's text, so it can be found again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.records import Segment


@dataclass(frozen=True, slots=True)
class Target:
    """Half-open character range `chars` of `response`."""

    chars: tuple[int, int]
    response: str

    @property
    def text(self) -> str:
        return self.response[self.chars[0] : self.chars[1]].strip()


def of(indices: Sequence[int], segments: Sequence[Segment], response: str, offset: int) -> Target | None:
    """The target that the chosen response segments make; None when none is chosen.

    `offset` is where the response starts in the text that the segments count in.
    """
    chosen = [segments[i] for i in sorted(set(indices)) if 0 <= i < len(segments)]
    if not chosen:
        return None
    return Target((chosen[0].chars[0] - offset, chosen[-1].chars[1] - offset), response)


def _label(text: str) -> str:
    """`Recommendation: …` → `recommendation`; empty where the text opens with no such label."""
    head, colon, _ = text.strip().partition(":")
    return head.strip().casefold() if colon and len(head) <= 40 and "\n" not in head else ""


def _overlapping(chars: tuple[int, int], segments: Sequence[Segment], offset: int) -> tuple[int, ...]:
    a, b = chars
    return tuple(
        s.index for s in segments if s.chars[0] - offset < b and s.chars[1] - offset > a and s.text.strip()
    )


def default(segments: Sequence[Segment]) -> tuple[int, ...]:
    """The last segment that says something: where an answer's conclusion stands."""
    return next(((s.index,) for s in reversed(segments) if s.text.strip()), ())


def keep(target: Target | None, segments: Sequence[Segment], response: str, offset: int) -> tuple[int, ...]:
    """The segments that stand for `target` now: in the same response by place, in another one by text.

    In another response first the same text, then the same label (`Recommendation:`), else the last segment.
    """
    if target is None:
        return default(segments)
    if target.response == response:
        return _overlapping(target.chars, segments, offset) or default(segments)
    at = response.rfind(target.text) if target.text else -1
    if at >= 0:
        return _overlapping((at, at + len(target.text)), segments, offset) or default(segments)
    label = _label(target.text)
    same = [s.index for s in segments if label and _label(s.text) == label]
    return (same[-1],) if same else default(segments)
