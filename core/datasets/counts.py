"""How many rows came in, how many are examples, and what was left out and why. Knows no file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RowCounts:
    """How many rows came, how many are examples, and how many were left out for which reason."""

    rows: int
    used: int
    left_out: tuple[tuple[str, int], ...] = ()
    whole: bool = True
    """Whether the file was read to its end; if not, it has more rows than these."""

    def sentence(self) -> str:
        """FileRows in, rows used, rows left out and why: the same on the page, in the log and in an export."""
        more = "" if self.whole else " (the file goes on)"
        told = f"{self.rows:,} {'row' if self.rows == 1 else 'rows'} in the file{more}, {self.used:,} used"
        if not self.left_out:
            return f"{told}, none left out."
        reasons = "; ".join(f"{count:,}: {reason.rstrip('.')}" for reason, count in self.left_out[:4])
        further = sum(count for _, count in self.left_out[4:])
        tail = f"; {further:,} for other reasons" if further else ""
        return f"{told}, {self.rows - self.used:,} left out ({reasons}{tail})."


def counts_of(kept: Mapping[str, Any]) -> RowCounts | None:
    """The counts in what `LoadedDataset.kept` made; None where there are none."""
    if not isinstance(kept.get("rows"), int) or not isinstance(kept.get("used"), int):
        return None
    left = tuple((str(reason), int(count)) for reason, count in kept.get("left_out", ()))
    return RowCounts(kept["rows"], kept["used"], left, bool(kept.get("whole", True)))
