"""How likely the model finds the target, whether it wrote it or not: log-probability and perplexity.

Natural logarithms of the target's tokens after the prompt, given by whoever ran the model; nothing is
computed here but sums. Perplexity is exp(−mean log-probability of a token), pooled over all tokens of the
set.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.metrics.metric import Floats, Metric, MetricRow, ratio


def _sums(rows: Sequence[MetricRow], _language: str) -> Floats:
    values = [(row.target_logprob_nats or 0.0, 1.0) for row in rows]
    return np.array(values, dtype=np.float64).reshape(len(rows), 2)


def _tokens(rows: Sequence[MetricRow], _language: str) -> Floats:
    values = [(row.target_logprob_nats or 0.0, row.target_tokens) for row in rows]
    return np.array(values, dtype=np.float64).reshape(len(rows), 2)


def perplexity(stats: Floats) -> Floats:
    """exp(−nats / tokens) from (..., 2) sums; infinite beyond what a float holds."""
    with np.errstate(over="ignore"):
        return np.exp(-ratio(stats))


LOGPROB = Metric(
    name="target_logprob_nats",
    label="Log-probability of the target",
    description="Natural logarithm of the probability of exactly the target; the mean over rows.",
    units="nats",
    higher_is_better=True,
    range=(-float("inf"), 0.0),
    statistics=_sums,
    score=ratio,
    needs="logprob",
    references="first",
    decimals=2,
)

PERPLEXITY = Metric(
    name="target_perplexity",
    label="Perplexity of the target",
    description="Between how many tokens the model hesitates, on average, at each token of the target.",
    units="tokens, e to the mean nats a token",
    higher_is_better=False,
    range=(1.0, float("inf")),
    statistics=_tokens,
    score=perplexity,
    needs="logprob",
    references="first",
    decimals=2,
)
