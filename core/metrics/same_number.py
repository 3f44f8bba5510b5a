"""Same number: what the answer comes to is the number that the target comes to.

Each text's number is its last one, or the one behind `####` or in `\\boxed{…}` (`core.metrics.numbers`).
"""

from __future__ import annotations

from core.metrics.metric import Metric, mean_of, ratio
from core.metrics.numbers import last_number, same


def same_number(response: str, target: str) -> float:
    """1 when both have a number and the two are the same, else 0."""
    got, wanted = last_number(response), last_number(target)
    return float(got is not None and wanted is not None and same(got, wanted))


def took(text: str) -> str:
    """The number that counts, as it is written there; a dash where there is none."""
    found = last_number(text)
    return str(found) if found is not None else "–"


METRIC = Metric(
    name="same_number",
    label="Same number",
    description="The answer's number is the target's: the last one of each, or the one marked by #### or \\boxed. "
    "1,000 is 1000.0, ½ is 0.5, and 50% is 0.5 as well as 50.",
    units="share of rows",
    higher_is_better=True,
    range=(0.0, 1.0),
    statistics=mean_of(same_number),
    score=ratio,
    share=True,
    took=took,
)
