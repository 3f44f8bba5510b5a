"""A small map with everything in it that could go wrong in a file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from core.records import GenerationParams, ModelSpec, Role, Segment, SegmentSalience
from core.report import ShownMap

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)> & {{ 7*7 }}"
PROMPT = (
    "<bos>",
    "Judge the dish.\n",
    EVIL + "\n",
    '=HYPERLINK("http://x")\n',
    "שלום 한국어 👨\u200d👩\u200d👧 é",
)
ANSWER = ("Analysis: no.\n", "+1 Recommendation: " + EVIL, "")


def segments(texts: tuple[str, ...], role: Role, template: int, offset: int = 0) -> tuple[Segment, ...]:
    out, at = [], offset
    for i, text in enumerate(texts):
        chars = (at, at + len(text))
        out.append(Segment(i, text, chars, (i, i + 1), Role.TEMPLATE if i == template else role))
        at += len(text)
    return tuple(out)


def shown(signed: bool = False, scores: tuple[float, ...] = (99, 1, 6, -2, 1), **changes: Any) -> ShownMap:
    columns = segments(PROMPT, Role.PROMPT, 0)
    rows = segments(ANSWER, Role.RESPONSE, 2, columns[-1].chars[1])
    values = np.arange(15, dtype=np.float32).reshape(3, 5)
    fields: dict[str, Any] = {
        "example": "fewshot-mistake " + EVIL,
        "model": ModelSpec("demo <b>", "/home/someone/models/demo", dtype="bfloat16"),
        "params": GenerationParams(),
        "method": "Grad L2",
        "units": "nats",
        "signed": signed,
        "granularity": "Line",
        "salience": SegmentSalience(rows, columns, values, "sum"),
        "target": (1,),
        "scores": np.array(scores if signed else np.abs(scores), np.float32),
        "made": datetime(2026, 11, 20, 12, 30, tzinfo=UTC),
        "note": "Targets are grouped into words.",
    }
    return ShownMap(**{**fields, **changes})
