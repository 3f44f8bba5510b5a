"""Length of the answers against that of the targets, in characters, over the whole set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.metrics.metric import Floats, Metric, MetricRow, ratio


def _statistics(rows: Sequence[MetricRow], _language: str) -> Floats:
    lengths = [_lengths(row) for row in rows]
    return np.array(lengths, dtype=np.float64).reshape(len(rows), 2)


def _lengths(row: MetricRow) -> tuple[int, int]:
    length = len(row.answer.strip())
    near = min(
        (len(one.strip()) for one in row.targets), key=lambda size: (abs(size - length), size), default=0
    )
    return length, near


METRIC = Metric(
    name="length_ratio",
    label="Length ratio",
    description="Characters of the answers for each character of the targets; 1 means equally long.",
    units="characters / character",
    higher_is_better=None,
    range=(0.0, float("inf")),
    statistics=_statistics,
    score=ratio,
    references="nearest",
)
