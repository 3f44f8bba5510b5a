"""Corpus chrF by sacrebleu, from character n-gram counts kept a row; needs no tokenizer.

Source: Popović 2015 (chrF, beta 2, six orders); sacrebleu's effective order over n-grams that both sides
have.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from sacrebleu.metrics.chrf import CHRF

from core.metrics.metric import Floats, Metric, MetricRow, streams


@lru_cache(maxsize=1)
def _scorer() -> CHRF:
    return CHRF()


def _statistics(rows: Sequence[MetricRow], _language: str) -> Floats:
    answers = [row.answer for row in rows]
    return np.array(_scorer()._extract_corpus_statistics(answers, streams(rows)), dtype=np.float64)


def score(stats: Floats) -> Floats:
    """chrF2, 0 to 100, from (..., 18) sums: for each order the counts of answer, target and both."""
    stats = np.asarray(stats, dtype=np.float64)
    counts = stats.reshape(*stats.shape[:-1], CHRF.CHAR_ORDER, 3)
    answer, target, both = counts[..., 0], counts[..., 1], counts[..., 2]
    used = (answer > 0) & (target > 0)
    orders = np.maximum(used.sum(axis=-1), 1)
    precision = (np.where(used, both / np.where(used, answer, 1), 0)).sum(axis=-1) / orders
    recall = (np.where(used, both / np.where(used, target, 1), 0)).sum(axis=-1) / orders
    factor = CHRF.BETA**2
    below = factor * precision + recall
    return np.where(below > 0, 100 * (1 + factor) * precision * recall / np.where(below > 0, below, 1), 0.0)


def _signature(_language: str) -> str:
    scorer = _scorer()
    scorer.num_refs = 1
    return str(scorer.get_signature())


METRIC = Metric(
    name="chrf",
    label="chrF",
    description="Runs of one to six characters that answer and target share; forgiving about word endings, "
    "and the same for every script.",
    units="points of 100",
    higher_is_better=True,
    range=(0.0, 100.0),
    statistics=_statistics,
    score=score,
    signature=_signature,
    decimals=2,
)
