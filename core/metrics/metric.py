"""What a metric is: a declaration, statistics of each row, and a score made from the sum of the statistics.

Every metric here is a function of *summed* row statistics (a mean is `sum / count`, corpus BLEU is a
function of summed n-gram counts), so one mechanism gives the value of a row, of a dataset, of a slice and
of a bootstrap resample. This module knows no model, no store and no page.

Source of the idea: sacrebleu keeps sufficient statistics a segment for its bootstrap (Post 2018, arXiv
1804.08771).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

State = Literal["ok", "error", "stopped", "missing"]
STATES: tuple[State, ...] = ("ok", "error", "stopped", "missing")
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Row:
    """One example as metrics see it: what the model wrote, what was hoped for, and what became of the run.

    `target_logprob_nats` is the log-probability (natural logarithm) of the whole target after the prompt, of
    `target_tokens` tokens, or None where nobody asked the model. `state` "error" and "stopped" are never
    scored as text.
    """

    id: str
    response: str | None
    target: str | None
    state: State = "ok"
    target_logprob_nats: float | None = None
    target_tokens: int = 0


@dataclass(frozen=True)
class Metric:
    """A metric, declared: menus, tables and charts are drawn from these fields, never from the name."""

    name: str
    label: str
    description: str
    units: str
    higher_is_better: bool | None
    """None: neither direction is better in itself."""
    range: tuple[float, float]
    statistics: Callable[[Sequence[Row], str], Floats]
    """(rows, language) -> (N, K), float64; called only with rows that `needs` allows."""
    score: Callable[[Floats], Floats]
    """(..., K) summed statistics -> (...); NaN where they hold nothing to divide by."""
    needs: Literal["text", "logprob"] = "text"
    signature: Callable[[str], str] = lambda _language: ""
    """language -> how exactly it was computed, for a paper or a report."""
    decimals: int = 3

    def show(self, value: float) -> str:
        """`value` as every page prints it; a dash where there is none."""
        return f"{value:.{self.decimals}f}" if np.isfinite(value) else "–"


def mean_of(function: Callable[[str, str], float]) -> Callable[[Sequence[Row], str], Floats]:
    """Statistics of a metric that is the plain mean of `function(response, target)` over rows: (value, 1)."""

    def statistics(rows: Sequence[Row], _language: str) -> Floats:
        values = [(function(row.response or "", row.target or ""), 1.0) for row in rows]
        return np.array(values, dtype=np.float64).reshape(len(rows), 2)

    return statistics


def ratio(stats: Floats) -> Floats:
    """First statistic over the second, (..., 2) -> (...); NaN where the second is 0."""
    stats = np.asarray(stats, dtype=np.float64)
    out = np.full(stats.shape[:-1], np.nan)
    np.divide(stats[..., 0], stats[..., 1], out=out, where=stats[..., 1] != 0)
    return out
