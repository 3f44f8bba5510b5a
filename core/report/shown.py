"""The record behind every download: one map, the target chosen in it, and how both were made."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.aggregate import RankBy, Ranked, countable, nothing_decisive, ranked, scale_top, share_of, shares
from core.errors import AppError
from core.records import GenerationParams, ModelSpec, Role, Segment, SegmentSalience


@dataclass(frozen=True, eq=False)
class ShownMap:
    """`scores` (columns,) explain the response segments at `target` together; a norm's are no sum of rows.

    `salience` holds all response segments as rows and all prompt segments as columns, so that their texts
    are the prompt and the response.
    """

    example: str
    model: ModelSpec
    params: GenerationParams
    method: str
    """The method's label."""
    units: str
    signed: bool
    sign_holds: bool = field(default=True, kw_only=True)
    rank_by: RankBy = field(default="size", kw_only=True)
    """What makes a score strong (`core.salience.Method.rank_by`)."""
    granularity: str
    """The granularity's label."""
    salience: SegmentSalience
    target: tuple[int, ...]
    scores: NDArray[np.float32]
    made: datetime
    negligible: float = 0.0
    """The method's score below which a segment decides nothing, in `units`."""
    unmeasured: tuple[int, ...] = ()
    """Prompt segments that the method could not measure, or was not asked about: their 0 is no score."""
    note: str = ""
    """What the page said about this map, such as targets grouped to fit the memory."""

    def __post_init__(self) -> None:
        width, rows = len(self.columns), len(self.rows)
        if np.shape(self.scores) != (width,):
            raise AppError(f"Expected {width} scores, one a prompt segment, but got {np.shape(self.scores)}.")
        if any(not 0 <= index < rows for index in self.target):
            raise AppError(f"The target should be segments 0 to {rows - 1}, but it is {self.target}.")

    @property
    def rows(self) -> tuple[Segment, ...]:
        return self.salience.row_segments

    @property
    def columns(self) -> tuple[Segment, ...]:
        return self.salience.column_segments

    @cached_property
    def keep(self) -> NDArray[np.bool_]:
        """(columns,) which prompt segments count in the shares."""
        kept = countable(self.columns)
        kept[list(self.unmeasured)] = False
        return kept

    @cached_property
    def shares(self) -> NDArray[np.float32]:
        """(columns,) of the prompt's total, -1 to 1; unsigned methods 0 to 1."""
        return shares(self.scores, self.keep)

    @cached_property
    def ranked(self) -> tuple[Ranked, ...]:
        return ranked(self.columns, self.scores, self.keep, by=self.rank_by)

    @property
    def top(self) -> float:
        """The share that is drawn strongest."""
        return scale_top(self.shares, self.keep, self._negligible_share)

    @property
    def coloured(self) -> bool:
        """Whether there are parts to tell apart: a lone one has no colour, as on the page."""
        return int(self.keep.sum()) > 1

    @property
    def flat(self) -> bool:
        """Whether the page would say that nothing is decisive."""
        return nothing_decisive(self.shares, self.keep, self._negligible_share, self.rank_by)

    @property
    def _negligible_share(self) -> float:
        return share_of(self.negligible, self.scores, self.keep)

    @property
    def prompt(self) -> str:
        return "".join(s.text for s in self.columns)

    @property
    def response(self) -> str:
        return "".join(s.text for s in self.rows)

    @property
    def target_text(self) -> str:
        return "".join(self.rows[i].text for i in self.target if self.rows[i].role is not Role.TEMPLATE)
