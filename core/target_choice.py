"""Which part of the response is being explained, and how that survives another granularity or answer.

Pure functions; no Streamlit. A target is a stretch of the response's text, so it can be found again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.records import Segment

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Target:
    """Half-open character ranges `chars` of `response`, rising; separate parts stay separate."""

    chars: tuple[Span, ...]
    response: str

    @property
    def text(self) -> str:
        """The words; what does not stand together is parted by an ellipsis."""
        return " … ".join(self.response[a:b].strip() for a, b in self.chars)

    @property
    def link(self) -> str:
        """As the address of the page says it: `44-50,60-72`."""
        return ",".join(f"{a}-{b}" for a, b in self.chars)


def of_link(link: str, response: str) -> Target | None:
    """The target that an address names; None where it names none of this response."""
    spans = []
    for piece in link.split(","):
        a, _, b = piece.partition("-")
        if not (a.isdecimal() and b.isdecimal() and int(a) < int(b) <= len(response)):
            return None
        spans.append((int(a), int(b)))
    return Target(_joined(spans), response)


def target_of(
    indices: Sequence[int], segments: Sequence[Segment], response: str, offset: int
) -> Target | None:
    """The target that the chosen response segments make; None when none is chosen.

    `offset` is where the response starts in the text that the segments count in.
    """
    chosen = [segments[i].chars for i in sorted(set(indices)) if 0 <= i < len(segments)]
    spans = _joined([(max(a - offset, 0), b - offset) for a, b in chosen if b > offset])
    return Target(spans, response) if spans else None


def _joined(spans: Sequence[Span]) -> tuple[Span, ...]:
    """`spans` in rising order, those that touch made one."""
    made: list[Span] = []
    for a, b in sorted(spans):
        if made and a <= made[-1][1]:
            made[-1] = (made[-1][0], max(made[-1][1], b))
        else:
            made.append((a, b))
    return tuple(made)


def _label(text: str) -> str:
    """`Recommendation: …` → `recommendation`; empty where the text opens with no such label."""
    head, colon, _ = text.strip().partition(":")
    return head.strip().casefold() if colon and len(head) <= 40 and "\n" not in head else ""


def _overlapping(spans: Sequence[Span], segments: Sequence[Segment], offset: int) -> tuple[int, ...]:
    return tuple(
        s.index
        for s in segments
        if s.text.strip() and any(s.chars[0] - offset < b and s.chars[1] - offset > a for a, b in spans)
    )


def default_choice(segments: Sequence[Segment]) -> tuple[int, ...]:
    """The last segment that says something: where an answer's conclusion stands."""
    return next(((s.index,) for s in reversed(segments) if any(map(str.isalnum, s.text))), ()) or next(
        ((s.index,) for s in reversed(segments) if s.text.strip()), ()
    )


def first(lines: Sequence[Segment], response: str, offset: int, *, ends: int | None = None) -> Target | None:
    """The target before anybody chose one: the last of the answer's `lines`, whatever parts are shown.

    `ends`: where in the response what counts ends (a tail that begins the next example does not).
    """
    within = [s for s in lines if ends is None or s.chars[0] - offset < ends]
    return target_of(default_choice(within), lines, response, offset)


def carried_over(
    target: Target | None,
    segments: Sequence[Segment],
    response: str,
    offset: int,
    lines: Sequence[Segment] | None = None,
    *,
    ends: int | None = None,
) -> tuple[int, ...]:
    """The segments that stand for `target` now: in the same response by place, in another one by text.

    In another response each piece is looked for by itself: first the same text, then the same label
    (`Recommendation:`); where nothing is found, the last line (of `lines`, else of `segments`).
    """
    lines = segments if lines is None else lines
    if target is not None and target.response == response:
        found = _overlapping(target.chars, segments, offset)
        if found:
            return found
    moved: list[Span] = []
    for a, b in target.chars if target is not None and target.response != response else ():
        words = target.response[a:b].strip() if target is not None else ""
        at = response.rfind(words, 0, ends) if words else -1
        label = _label(words)
        if at >= 0:
            moved.append((at, at + len(words)))
        elif label:
            moved += [
                (s.chars[0] - offset, s.chars[1] - offset)
                for s in lines
                if _label(s.text) == label and (ends is None or s.chars[0] - offset < ends)
            ][-1:]
    found = _overlapping(moved, segments, offset)
    if found:
        return found
    start = first(lines, response, offset, ends=ends)
    return (_overlapping(start.chars, segments, offset) if start else ()) or default_choice(segments)
