"""What a model can be explained by, from its capabilities alone: how exact each way is, and how dear.

The figures behind the words: docs/methods and docs/natural-causes.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.models.language_model import Capabilities
from core.salience import METHODS


@dataclass(frozen=True, slots=True)
class Way:
    """One row of the table."""

    name: str
    able: bool
    exact: str
    price: str


def ways(can: Capabilities) -> list[Way]:
    """All ways, those that name causes best first."""
    gradients = can.gradients
    maps = [one.label for one in METHODS if one.needs != "logprobs" and one.available(can)]
    measured = can.logprobs
    at_least = (
        "measured; “at least” where no more is told" if can.requests else "measured, nothing approximated"
    )
    asks = "requests: one a part, one more for each word that it would write otherwise"
    few = "one map, then about 3 passes" if maps else "one pass a part"
    return [
        Way("Find the cause", measured, at_least, asks if can.requests else few),
        Way(
            f"Maps: {', '.join(maps)}" if maps else "Maps",
            bool(maps),
            "a proposal: exact gradients, which are no effects" if gradients or maps else "needs gradients",
            "one forward and one backward pass" if gradients else "one request" if maps else "",
        ),
        Way("Leave one out", measured, at_least, asks if can.requests else "one pass a part"),
        Way(
            "Does it still say so?",
            can.generate,
            "a filter: says which parts change the words",
            "one answer a part",
        ),
    ]
