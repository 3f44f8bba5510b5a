"""Contains: the target's words stand in the answer, together and in order."""

from __future__ import annotations

from core.metrics.metric import Metric, mean_of, ratio
from core.metrics.normalised import comparable


def contains(response: str, target: str) -> float:
    """1 when the normalised words of `target` are a run of those of `response`, else 0."""
    answer, wanted = comparable(response, target)
    starts = range(len(answer) - len(wanted) + 1)
    return float(bool(wanted) and any(answer[i : i + len(wanted)] == wanted for i in starts))


METRIC = Metric(
    name="contains",
    label="Contains the target",
    description="The target's words, numbers and signs stand in the answer, whole and in order: 5 is not in -5 or 15.",
    units="share of rows",
    higher_is_better=True,
    range=(0.0, 1.0),
    statistics=mean_of(contains),
    score=ratio,
    share=True,
)
