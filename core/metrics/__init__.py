"""Metrics of answers against targets: a family, each member one file and one line of the tuple at the end.

    rows = [MetricRow(id, response, target), …]
    measured = measure(rows, metric("bleu"))
    measured.values                      # one a row
    aggregate(measured).value            # of all rows, with a 95 % interval
    compare(measured, other).p           # paired bootstrap test of two systems

Runs without torch; log-probabilities come from the caller. The maths and its sources stand in each file.
"""

from __future__ import annotations

from core import plugins
from core.family import find
from core.metrics import (
    bleu,
    chrf,
    contains,
    exact_match,
    length_ratio,
    rouge,
    same_number,
    target_logprob,
    token_f1,
)
from core.metrics.evaluate import (
    REASONS,
    Aggregate,
    Measured,
    PairedTest,
    aggregate,
    compare,
    measure,
    resolve_language,
)
from core.metrics.metric import REFERENCES, STATES, Metric, MetricRow, State
from core.metrics.text import LANGUAGES, language_of

__all__ = [
    "LANGUAGES",
    "METRICS",
    "REASONS",
    "REFERENCES",
    "STATES",
    "Aggregate",
    "Measured",
    "Metric",
    "MetricRow",
    "PairedTest",
    "State",
    "aggregate",
    "compare",
    "language_of",
    "measure",
    "metric",
    "resolve_language",
]


def metric(name: str) -> Metric:
    """The metric called `name`. Raises: AppError that lists what there is."""
    return find("metric", METRICS, name)


METRICS: tuple[Metric, ...] = plugins.extended(
    "whence.metrics",
    Metric,
    (
        exact_match.RAW,
        exact_match.NORMALISED,
        contains.METRIC,
        same_number.METRIC,
        token_f1.METRIC,
        bleu.METRIC,
        chrf.METRIC,
        rouge.ROUGE_1,
        rouge.ROUGE_2,
        rouge.ROUGE_L,
        rouge.ROUGE_LSUM,
        length_ratio.METRIC,
        target_logprob.LOGPROB,
        target_logprob.PERPLEXITY,
    ),
)
