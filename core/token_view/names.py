"""What the ranked list calls a part of the prompt."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from core.records import Role, Segment


def part_names(segments: Sequence[Segment], unit: str) -> list[str]:
    """What the list calls each segment: its line in the prompt, or its count where it spans lines."""
    if unit not in ("line", "word", "token"):
        counts = itertools.accumulate(int(s.role is not Role.TEMPLATE) for s in segments)
        return [f"{unit} {count}" for count in counts]
    names, line = [], 1
    for segment in segments:
        body = segment.text.lstrip("\r\n")
        blank = segment.text[: len(segment.text) - len(body)] if body else ""
        names.append(f"line {line + _breaks(blank)}")
        line += _breaks(segment.text) if segment.role is not Role.TEMPLATE else 0
    return names


def _breaks(text: str) -> int:
    return len(re.findall(r"\r\n|[\r\n\x85\u2028\u2029]", text))
