"""Exact match: the answer is the target, as it stands or after normalisation.

The normalised form: `core.metrics.normalised`.
"""

from __future__ import annotations

from core.metrics.metric import Metric, mean_of, ratio
from core.metrics.normalised import comparable


def _same(response: str, target: str) -> float:
    answer, wanted = comparable(response, target)
    return float(answer == wanted)


RAW = Metric(
    name="exact_match",
    label="Exact match",
    description="The answer is the target, character by character; white space around both is ignored.",
    units="share of rows",
    higher_is_better=True,
    range=(0.0, 1.0),
    statistics=mean_of(lambda response, target: float(response.strip() == target.strip())),
    score=ratio,
    share=True,
)

NORMALISED = Metric(
    name="exact_match_normalised",
    label="Exact match, normalised",
    description="The answer is the target but for case, punctuation, English articles and spaces; signs, "
    "decimals and units count, and 42.0 is 42.",
    units="share of rows",
    higher_is_better=True,
    range=(0.0, 1.0),
    statistics=mean_of(_same),
    score=ratio,
    share=True,
)
