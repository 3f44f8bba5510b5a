"""Exact match: the answer is the target, as it stands or after normalisation.

Source of the normalised form: SQuAD's evaluation (`core.metrics.text.normalised`).
"""

from __future__ import annotations

from core.metrics.metric import Metric, mean_of, ratio
from core.metrics.text import normalised

RAW = Metric(
    name="exact_match",
    label="Exact match",
    description="The answer is the target, character by character; white space around both is ignored.",
    units="share of rows",
    higher_is_better=True,
    range=(0.0, 1.0),
    statistics=mean_of(lambda response, target: float(response.strip() == target.strip())),
    score=ratio,
)

NORMALISED = Metric(
    name="exact_match_normalised",
    label="Exact match, normalised",
    description="The answer is the target but for case, punctuation, English articles and extra spaces.",
    units="share of rows",
    higher_is_better=True,
    range=(0.0, 1.0),
    statistics=mean_of(lambda response, target: float(normalised(response) == normalised(target))),
    score=ratio,
)
