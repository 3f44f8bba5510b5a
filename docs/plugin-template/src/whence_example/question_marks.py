"""A metric: question marks for each character of the answers."""

from collections.abc import Sequence

import numpy as np
from whence.metrics.metric import Floats, Metric, MetricRow, ratio


def _statistics(rows: Sequence[MetricRow], _language: str) -> Floats:
    counts = [(row.answer.count("?"), len(row.answer)) for row in rows]
    return np.array(counts, dtype=np.float64).reshape(len(rows), 2)


METRIC = Metric(
    name="question_marks",
    label="Question marks",
    description="Question marks for each character of the answers.",
    units="marks / character",
    higher_is_better=None,
    range=(0.0, 1.0),
    statistics=_statistics,
    score=ratio,
)
