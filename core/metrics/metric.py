"""What a metric is: a declaration, statistics of each row, and a score made from the sum of the statistics.

Every metric here is a function of *summed* row statistics (a mean is `sum / count`, corpus BLEU is a
function of summed n-gram counts), so one mechanism gives the value of a row, of a dataset, of a slice and
of a bootstrap resample. This module knows no model, no store and no page.

Source of the idea: sacrebleu keeps sufficient statistics a segment for its bootstrap (Post 2018, arXiv
1804.08771).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.thinking import answer_of

State = Literal["ok", "error", "stopped", "missing"]
STATES: tuple[State, ...] = ("ok", "error", "stopped", "missing")
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MetricRow:
    """One example as metrics see it: what the model wrote, what was hoped for, and what became of the run.

    `target` is the answer hoped for, or several that all count as right (references). `target_logprob_nats` is the
    log-probability (natural logarithm) of the whole first target after the prompt, of `target_tokens` tokens, or
    None where nobody asked the model. `state` "error" and "stopped" are never scored as text.
    """

    id: str
    response: str | None
    target: str | Sequence[str] | None
    state: State = "ok"
    target_logprob_nats: float | None = None
    target_tokens: int = 0
    answer_id: str = ""
    """Content address of the response, where it has one: a value holds for that answer only."""
    prompt: str = ""
    judgements: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What judges wrote about the answer, by the key of the condition that asks them."""

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """The references, those without any text left out."""
        found = (self.target,) if isinstance(self.target, str) else tuple(self.target or ())
        return tuple(one for one in found if one.strip())

    @cached_property
    def answer(self) -> str:
        """What is measured: the response without its thinking (`core.thinking`)."""
        return answer_of(self.response or "")


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric, declared: menus, tables and charts are drawn from these fields, never from the name."""

    name: str
    label: str
    description: str
    units: str
    higher_is_better: bool | None
    """None: neither direction is better in itself."""
    range: tuple[float, float]
    statistics: Callable[[Sequence[MetricRow], str], Floats]
    """(rows, language) -> (N, K), float64; called only with rows that `needs` allows."""
    score: Callable[[Floats], Floats]
    """(..., K) summed statistics -> (...); NaN where they hold nothing to divide by."""
    needs: Literal["text", "logprob", "answer"] = "text"
    """An answer and a target, the target's log-probability, or an answer alone."""
    signature: Callable[[str], str] = lambda _language: ""
    """language -> how exactly it was computed, for a paper or a report."""
    decimals: int = 3
    share: bool = False
    """Each row has or has not: the interval is exact, and two systems are compared by the pairs that differ."""
    references: Literal["best", "all", "nearest", "first"] = "best"
    """What several targets are to it: the best one counts, all are pooled, the one nearest in length, or the first."""
    took: Callable[[str], str] | None = None
    """What it read out of a text (a number, say), where that is not the text itself."""

    def show(self, value: float) -> str:
        """`value` as every page prints it; a dash where there is none."""
        return f"{value:.{self.decimals}f}" if np.isfinite(value) else "–"


def mean_of(function: Callable[[str, str], float]) -> Callable[[Sequence[MetricRow], str], Floats]:
    """Statistics of a metric that is the plain mean over rows of `function(answer, target)`: (value, 1).

    Of several targets the one that gives most counts, as in SQuAD and in rouge-score's `score_multi`.
    """

    def statistics(rows: Sequence[MetricRow], _language: str) -> Floats:
        values = [(max((function(row.answer, one) for one in row.targets), default=0.0), 1.0) for row in rows]
        return np.array(values, dtype=np.float64).reshape(len(rows), 2)

    return statistics


REFERENCES = {
    "best": "Of several targets the one that fits best counts.",
    "all": "Of several targets all count together, by sacrebleu's rules.",
    "nearest": "Of several targets the one nearest in length counts.",
    "first": "Of several targets the first is asked about.",
}


def streams(rows: Sequence[MetricRow]) -> list[list[str]]:
    """The targets as sacrebleu takes them: the first of each row, the second of each … empty where there is none."""
    most = max((len(row.targets) for row in rows), default=0)
    return [[row.targets[i] if i < len(row.targets) else "" for row in rows] for i in range(max(most, 1))]


def ratio(stats: Floats) -> Floats:
    """First statistic over the second, (..., 2) -> (...); NaN where the second is 0."""
    stats = np.asarray(stats, dtype=np.float64)
    out = np.full(stats.shape[:-1], np.nan)
    np.divide(stats[..., 0], stats[..., 1], out=out, where=stats[..., 1] != 0)
    return out
