"""How much is read, and from where; and the budget that reading is charged against, row by row.

A small file may hold a great deal: a Parquet dictionary, a gzip stream, a sheet's shared texts. So what counts is
what comes out: cells, bytes of text, depth and seconds, counted while rows are read. Knows no file format.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import AppError
from core.settings import Settings


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is read, and from where."""

    max_examples: int = 100_000
    max_prompt_chars: int = 200_000
    max_bytes: int = 200_000_000
    """Of the file as it comes, and of all text that comes out of it."""
    max_cells: int = 5_000_000
    """Values of all rows together, those within lists and objects counted each."""
    max_columns: int = 4_000
    max_depth: int = 50
    """Of lists and objects within each other in one cell."""
    read_seconds: float = 60.0
    timeout_seconds: float = 60.0
    """For a file to arrive."""
    hosted: bool = False
    """Strangers ask: no files of this machine, no private addresses."""
    token: str = ""
    """Of the Hugging Face hub; never shown, and never there where strangers ask."""
    visitor_datasets: tuple[str, ...] = ()
    """The hub's datasets that strangers may load: `owner/name` or `owner/*`."""

    @classmethod
    def of(cls, chosen: Settings) -> Bounds:
        return cls(
            max_examples=chosen.max_examples,
            max_prompt_chars=chosen.max_prompt_chars,
            max_bytes=chosen.max_download_bytes,
            hosted=chosen.mode == "hosted",
            token="" if chosen.mode == "hosted" else chosen.hf_token.get_secret_value(),
            visitor_datasets=tuple(
                name.strip() for name in chosen.visitor_datasets.split(",") if name.strip()
            ),
        )


class BudgetSpent(Exception):
    """The budget is used up; the text says of what, for the person."""


@dataclass(slots=True)
class ReadBudget:
    """What may still be read. Not for several threads."""

    bounds: Bounds
    clock: Callable[[], float] = time.monotonic
    text_bytes: int = 0
    cells: int = 0
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock()

    def tick(self) -> None:
        """Raises `BudgetSpent` when the time is over."""
        if self.clock() - self.started > self.bounds.read_seconds:
            raise BudgetSpent(f"reading took longer than {self.bounds.read_seconds:g} seconds")

    def charge(self, row: Mapping[Any, Any]) -> str:
        """Count `row`. Returns why it cannot be kept (too wide, too deep), or "". Raises `BudgetSpent`."""
        if len(row) > self.bounds.max_columns:
            return f"The row has {len(row):,} columns; at most {self.bounds.max_columns:,} are read."
        text_bytes, cells = self.text_bytes, self.cells
        waiting: list[tuple[Any, int]] = [(row, 0)]
        while waiting:
            value, depth = waiting.pop()
            if depth > self.bounds.max_depth:
                return f"The row is nested deeper than {self.bounds.max_depth} lists and objects."
            if isinstance(value, str):
                text_bytes += len(value) if value.isascii() else len(value.encode("utf-8", "replace"))
            elif isinstance(value, (bytes, bytearray)):
                text_bytes += len(value)
            elif isinstance(value, Mapping):
                cells += len(value)
                waiting.extend((inner, depth + 1) for inner in value.values())
                text_bytes += sum(len(key) for key in value if isinstance(key, str)) if depth else 0
            elif isinstance(value, (list, tuple)):
                cells += len(value)
                waiting.extend((inner, depth + 1) for inner in value)
            if text_bytes > self.bounds.max_bytes:
                raise BudgetSpent(f"the text in it comes to more than {self.bounds.max_bytes:,} bytes")
            if cells > self.bounds.max_cells:
                raise BudgetSpent(f"it holds more than {self.bounds.max_cells:,} values")
        self.text_bytes, self.cells = text_bytes, cells
        return ""


def too_large(what: str, got: int | None, bounds: Bounds) -> AppError:
    """The error for a file past the limit; `got` None: larger than the limit, by an unknown amount."""
    size = f"{got:,} bytes" if got is not None else f"more than {bounds.max_bytes:,} bytes"
    return AppError(
        f"{what} has {size}; at most {bounds.max_bytes:,} are read.",
        hint="Load a smaller part of it, or raise WHENCE_MAX_DOWNLOAD_BYTES.",
        code="too_large",
    )


def missing(value: Any) -> bool:
    """Whether `value` is no value: null, NaN, infinity, or the word that a spreadsheet or pandas writes for it."""
    if isinstance(value, str):
        return value.strip() in MISSING_WORDS
    return value is None or (isinstance(value, float) and not math.isfinite(value))


MISSING_WORDS = frozenset(
    {"NaN", "nan", "#N/A", "#NA", "<NA>", "NaT", "#VALUE!", "#REF!", "#DIV/0!", "#NAME?", "#NULL!"}
)
"""Text that stands for nothing in any file. A plain “null” does so only in files without types (CSV)."""
