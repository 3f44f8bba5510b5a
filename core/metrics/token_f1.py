"""Token F1 as in SQuAD: shared words of the normalised texts, counted with multiplicity, the mean over rows.

Source: Rajpurkar et al. 2016 (arXiv 1606.05250), section 6; characters of unspaced scripts count as words.
"""

from __future__ import annotations

from collections import Counter

from core.metrics.metric import Metric, mean_of, ratio
from core.metrics.normalised import comparable


def token_f1(response: str, target: str) -> float:
    """2 shared / (words of the answer + words of the target), 0 to 1."""
    answer, wanted = map(Counter, comparable(response, target))
    words = answer.total() + wanted.total()
    return 2 * (answer & wanted).total() / words if words else 0.0


METRIC = Metric(
    name="token_f1",
    label="Token F1",
    description="Words that both share in any order, but for case, punctuation and English articles.",
    units="F1, 0 to 1",
    higher_is_better=True,
    range=(0.0, 1.0),
    statistics=mean_of(token_f1),
    score=ratio,
)
