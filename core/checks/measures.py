"""Conditions as metrics: the share of answers that are right, with intervals and tests like any other metric.

The first is the verdict of all conditions; where there are several, each is one of its own too. A row whose outcome
is unsure is left out of the share, and counted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

import numpy as np

from core.checks.check import Evidence, Outcome, Ruling
from core.checks.verdict import Condition, verdict
from core.metrics.metric import Floats, Metric, MetricRow, ratio

VERDICT = "verdict"
_VALUES: dict[Outcome, float] = {"right": 1.0, "wrong": 0.0, "unsure": math.nan}


def evidence(row: MetricRow, condition: Condition) -> Evidence:
    """What `condition` may look at of a row."""
    return Evidence(row.prompt, row.answer, row.targets, row.judgements.get(condition.key))


def outcome_of(value: float | None) -> Outcome:
    """The outcome that a kept value stands for: 1 right, 0 wrong, none unsure."""
    return "unsure" if value is None or math.isnan(value) else "right" if value > 0.5 else "wrong"


def members(conditions: Sequence[Condition]) -> tuple[Metric, ...]:
    """The metrics of `conditions`; none without any."""
    if not conditions:
        return ()
    words = ", ".join(one.in_words for one in conditions)
    whole = _declared(
        VERDICT, "Right, by your checks", f"All of: {words}.", partial(_verdict, tuple(conditions))
    )
    if len(conditions) == 1:
        return (whole,)
    return (
        whole,
        *(
            _declared(f"check {one.key}", one.in_words, one.member.description, partial(_one, one))
            for one in conditions
        ),
    )


def _declared(name: str, label: str, description: str, outcome: Callable[[MetricRow], Outcome]) -> Metric:
    def statistics(rows: Sequence[MetricRow], _language: str) -> Floats:
        return np.array([(_VALUES[outcome(row)], 1.0) for row in rows], np.float64).reshape(len(rows), 2)

    return Metric(
        name=name,
        label=label,
        description=description,
        units="share of the rows that are decided",
        higher_is_better=True,
        range=(0.0, 1.0),
        statistics=statistics,
        score=ratio,
        needs="answer",
        share=True,
    )


@lru_cache(maxsize=4096)
def _found(condition: Condition, seen: Evidence) -> Ruling:
    return condition.find(seen)


def _one(condition: Condition, row: MetricRow) -> Outcome:
    return _found(condition, evidence(row, condition)).outcome


def rulings(row: MetricRow, conditions: Sequence[Condition]) -> tuple[Ruling, ...]:
    """What each condition finds in a row."""
    return tuple(_found(one, evidence(row, one)) for one in conditions)


def _verdict(conditions: tuple[Condition, ...], row: MetricRow) -> Outcome:
    return verdict(rulings(row, conditions)).outcome
