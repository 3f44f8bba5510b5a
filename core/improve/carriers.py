"""Which lines carried the wrong answers: causes of many rows, aligned by the template they were made from, and grouped.

Every row tells the share of the map and the measured effect of each part of the template (NaN: not measured), and which
parts are its cause. Knows no model; `core.improve.causes_of_rows` measures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RowCause:
    """Of one row: shares (S,) of the map, effects (S,) in nats, and the cause (no part: none was found)."""

    row: str
    shares: Floats
    effect_nats: Floats
    cause: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Carrier:
    """One part over all rows: means over the rows that tell, and of how many rows it is the cause (or one of them)."""

    part: int
    share: float
    effect_nats: float
    measured: int
    caused: int


@dataclass(frozen=True, slots=True)
class Carriers:
    """All parts, those that caused most rows first; `rows` were looked at, `uncaused` of them without a cause."""

    parts: tuple[Carrier, ...]
    rows: int
    uncaused: int

    @property
    def leading(self) -> tuple[Carrier, ...]:
        return tuple(one for one in self.parts if one.caused)

    def sentence(self, names: Sequence[str]) -> str:
        """For the page: "In 41 of 60 wrong rows that were read: example 1's Recommendation." """
        if not self.leading:
            return (
                f"In none of {self.rows:,} wrong rows one part of the prompt's own text carried the answer."
            )
        first = self.leading[0]
        return f"In {first.caused:,} of {self.rows:,} wrong rows that were read: {names[first.part]}."


def carriers(size: int, rows: Sequence[RowCause]) -> Carriers:
    """Groups the causes of `rows` over `size` parts."""
    shares = np.array([one.shares for one in rows]).reshape(len(rows), size)
    effects = np.array([one.effect_nats for one in rows]).reshape(len(rows), size)
    found = [
        Carrier(
            part,
            _mean(shares[:, part]),
            _mean(effects[:, part]),
            int(np.isfinite(effects[:, part]).sum()),
            sum(part in one.cause for one in rows),
        )
        for part in range(size)
    ]
    order = sorted(found, key=lambda c: (-c.caused, -_or(c.effect_nats), -_or(c.share), c.part))
    return Carriers(tuple(order), len(rows), sum(not one.cause for one in rows))


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _or(value: float, otherwise: float = -np.inf) -> float:
    return value if value == value else otherwise
