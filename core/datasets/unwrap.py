"""FileRows that come in a wrapping of their tool, taken out of it: what LIT saves, the hub's row viewer, BIG-bench.

One row at a time; everything that the wrapping held is kept. Knows no file and no example.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.datasets.rows import Row


def unwrapped(row: Row) -> Row:
    """`row` without its tool's wrapping; itself where it has none."""
    for rule in (_lit, _hub_viewer, _big_bench):
        row = rule(row)
    return row


def _lit(row: Row) -> Row:
    """LIT's indexed data: `{"data": {…, "_id", "_meta"}, "id", "meta"}`."""
    inner = row.get("data")
    if not isinstance(inner, Mapping) or not {"data", "id"} <= set(row) <= {"data", "id", "meta"}:
        return row
    kept = {key: value for key, value in inner.items() if key not in ("_id", "_meta")}
    meta = row.get("meta")
    told = (
        {key: value for key, value in meta.items() if value not in (None, "")}
        if isinstance(meta, Mapping)
        else {}
    )
    return (
        kept
        | ({"meta": told} if told and "meta" not in kept else {})
        | ({} if "id" in kept else {"lit_id": row["id"]})
    )


def _hub_viewer(row: Row) -> Row:
    """`{"row_idx": 0, "row": {…}, "truncated_cells": []}`."""
    inner = row.get("row")
    return inner if isinstance(inner, Mapping) and "row_idx" in row else row


def _big_bench(row: Row) -> Row:
    """`target_scores`: each choice with its score; the targets are those with the highest."""
    scores = row.get("target_scores")
    if not isinstance(scores, Mapping) or "target" in row or not scores:
        return row
    numbers: dict[str, float] = {
        str(choice): float(score)
        for choice, score in scores.items()
        if isinstance(score, (int, float)) and not isinstance(score, bool)
    }
    if len(numbers) != len(scores):
        return row
    best = max(numbers.values())
    targets: Any = [choice for choice, score in numbers.items() if score == best]
    return {**row, "choices": list(numbers), "target": targets if len(targets) > 1 else targets[0]}
