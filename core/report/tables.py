"""The CSV and JSON forms of what is shown. CSV is made safe for spreadsheets, JSON keeps every figure."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import asdict
from typing import Any

from core.records import Segment
from core.report.shown import ShownMap
from core.spreadsheet import neutral

FORMAT = 1

_COLUMNS = (
    *("segment", "rank", "share", "score", "start_char", "stop_char", "role", "text", "target"),
    *("model", "precision", "method", "units", "granularity"),
)


def to_csv(shown: ShownMap) -> bytes:
    """One line a prompt segment in reading order: rank, share (0 to 1), raw score, place, text, and how made.

    UTF-8 with a mark, by which spreadsheets recognise it. Rank and share are empty where a segment does not
    count (template, special); the score too where it could not be measured.
    """
    ranks = {entry.segment.index: entry.rank for entry in shown.ranked}
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    made = (shown.model.name, shown.model.precision, shown.method, shown.units, shown.granularity)
    writer.writerow(_COLUMNS)
    for segment, share, score, counts in zip(shown.columns, shown.shares, shown.scores, shown.keep):
        writer.writerow(
            (
                segment.index,
                ranks.get(segment.index, ""),
                f"{share:.6g}" if counts else "",
                "" if segment.index in shown.unmeasured else f"{score:.6g}",
                *segment.chars,
                segment.role.name.lower(),
                neutral(segment.text),
                neutral(shown.target_text),
                *map(neutral, made),
            )
        )
    return out.getvalue().encode("utf-8-sig")


def to_json(shown: ShownMap) -> bytes:
    """Everything that is shown, as one JSON object (UTF-8): segments, scores, shares, the whole map."""
    ranks = {entry.segment.index: entry.rank for entry in shown.ranked}
    columns = [
        {
            **_segment(s),
            "score": None if s.index in shown.unmeasured else float(score),
            "share": None if s.index in shown.unmeasured else float(share),
            "counts": bool(kept),
            "rank": ranks.get(s.index),
        }
        for s, score, share, kept in zip(shown.columns, shown.scores, shown.shares, shown.keep)
    ]
    document = {
        "format": FORMAT,
        "made": shown.made.isoformat(timespec="seconds"),
        "example": shown.example,
        "model": {k: v for k, v in asdict(shown.model).items() if k != "path"},
        "precision": shown.model.precision,
        "generation": asdict(shown.params),
        "method": shown.method,
        "units": shown.units,
        "signed": shown.signed,
        "granularity": shown.granularity,
        "reduce": shown.salience.reduce,
        "note": shown.note,
        "nothing_decisive": shown.flat,
        "target": list(shown.target),
        "prompt_segments": columns,
        "response_segments": [_segment(s) for s in shown.rows],
        "map": [_row(row, shown.unmeasured) for row in shown.salience.values.tolist()],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def _row(values: list[float], unmeasured: tuple[int, ...]) -> list[float | None] | None:
    """A row of the map; None where it has not been computed, and for each segment that was not measured."""
    if not all(map(math.isfinite, values)):
        return None
    return [None if place in unmeasured else value for place, value in enumerate(values)]


def _segment(segment: Segment) -> dict[str, Any]:
    return {**asdict(segment), "role": segment.role.name.lower()}
