"""From scores of tokens to scores of segments: select targets exactly, add up columns, rank, compare.

Gradients are linear in the loss, so the norm for a weighted set s of targets is sqrt(s' K_i s), where K_i
holds the inner products of the targets' gradients at token i (`SalienceMatrix.gram`). Rows of other methods add, or
do not combine at all (`SalienceMatrix.combines`).
Axes and words are those of `core.records`. Knows no model and no picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import AppError
from core.records import REDUCTIONS, Reduce, Role, SalienceMatrix, Segment, SegmentSalience

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Span = tuple[int, int]


def select(matrix: SalienceMatrix, rows: NDArray[np.bool_] | NDArray[np.floating]) -> Floats:
    """Scores (T,) float32 of every token for a set of targets, in `matrix.units`.

    `rows` (N,) chooses (bool) or weighs the matrix's rows. Where a Gram matrix is kept this equals the norm
    of a fresh backward through the weighted sum of the losses; the sum of the rows' norms would not.

    Raises: AppError where `rows` is not (N,), or chooses several rows of a method whose rows do not combine.
    """
    weights = np.asarray(rows, np.float32)
    count = len(matrix.values)
    if weights.shape != (count,):
        raise AppError(f"A choice of targets should have the shape ({count},), but it has {weights.shape}.")
    chosen = np.flatnonzero(weights)
    if not len(chosen):
        return np.zeros(matrix.values.shape[1], np.float32)
    if matrix.combines == "add":
        return weights[chosen] @ matrix.values[chosen]
    if matrix.combines == "alone" and len(chosen) > 1:
        raise AppError(
            f"{len(chosen)} rows of {matrix.request.method} do not make one: their map needs a pass of its own.",
            hint="Choose one part of the answer, or another method.",
            code="needs_a_pass",
        )
    if matrix.gram is None or len(chosen) == 1:
        return np.abs(weights[chosen[0]]) * matrix.values[chosen[0]]
    inner = slice(chosen[0], chosen[-1] + 1)
    part = weights[inner]
    # Rounding can leave a squared norm a little below zero where gradients cancel.
    squared = np.einsum("tn,n->t", matrix.gram[:, inner, inner] @ part, part, dtype=np.float64)
    return np.sqrt(np.maximum(squared, 0.0)).astype(np.float32)


def rows_for(matrix: SalienceMatrix, span: Span) -> Floats:
    """Weights (N,) float32, 1 for the rows that explain the token span `span`, else 0.

    A row counts where it starts within the span, so that a partition of the response is one of the rows; a
    span inside a coarser row (targets grouped to fit the memory) takes the rows that it overlaps.
    """
    targets = np.array(matrix.request.targets, np.int64).reshape(-1, 2)
    start, stop = span
    inside = (targets[:, 0] >= start) & (targets[:, 0] < stop)
    if not inside.any():
        inside = (targets[:, 0] < stop) & (targets[:, 1] > start)
    return inside.astype(np.float32)


def column_scores(scores: Floats, columns: Sequence[Segment], reduce: Reduce = "sum") -> Floats:
    """Scores (S,) float32 of segments from scores (T,) of tokens: their sum, mean or strongest (signed) one.

    Raises: AppError for a reduction that there is not.
    """
    if reduce not in REDUCTIONS:
        raise AppError(f"reduce should be one of {', '.join(REDUCTIONS)}, but it is {reduce!r}.")
    out = np.zeros(len(columns), np.float32)
    for index, segment in enumerate(columns):
        own = scores[slice(*segment.tokens)]
        if not len(own):
            continue
        if reduce == "max":
            out[index] = own[np.abs(own).argmax()]
        else:
            out[index] = own.sum() if reduce == "sum" else own.mean()
    return out


def to_segments(
    matrix: SalienceMatrix,
    row_segments: Sequence[Segment],
    column_segments: Sequence[Segment],
    reduce: Reduce = "sum",
) -> SegmentSalience:
    """The whole map, segments against segments: each row is an exact selection, its columns reduced.

    A segment of which the matrix has no row (a map whose rows are still coming, or several rows that do not
    combine) is NaN.
    """
    chosen = [rows_for(matrix, row.tokens) for row in row_segments]
    values = [
        column_scores(select(matrix, rows), column_segments, reduce)
        if rows.any() and (matrix.combines != "alone" or np.count_nonzero(rows) == 1)
        else np.full(len(column_segments), np.nan, np.float32)
        for rows in chosen
    ]
    shape = (len(row_segments), len(column_segments))
    return SegmentSalience(
        tuple(row_segments), tuple(column_segments), np.array(values, np.float32).reshape(shape), reduce
    )


def countable(columns: Sequence[Segment], target: Span | None = None) -> Mask:
    """(S,) which segments count in shares: the prompt's; template, special and `target` tokens do not."""
    return np.array(
        [
            s.role is Role.PROMPT and not (target and s.tokens[0] < target[1] and s.tokens[1] > target[0])
            for s in columns
        ],
        np.bool_,
    )


def shares(values: Floats, keep: Mask | None = None) -> Floats:
    """Each score as a part of the total absolute score of what counts: (S,) float32, -1 to 1.

    Signs stay. What does not count (`keep` False) is 0, as is everything where the total is 0.
    """
    counted = np.asarray(values, np.float64) * (1 if keep is None else keep)
    total = np.abs(counted).sum()
    return (counted / total if total > 0 else np.zeros_like(counted)).astype(np.float32)


# --- what deserves to be called a finding, and how dark it is -------------------------------------------


def decisive_share(count: int) -> float:
    """The share that the strongest of `count` segments must hold before the page calls it decisive.

    2 / (count + 1): about twice an even share, and still below 1 for two segments (67 %), where "twice" could
    never be reached. Never under 5 %: among hundreds of tokens chance alone lifts one to several times the
    average, and nobody can act on a word that carries a fiftieth. A convention, not a significance test.
    """
    return max(0.05, 2 / (max(count, 1) + 1))


def share_of(amount: float, values: Floats, keep: Mask | None = None) -> float:
    """The share, 0 or more, that a score of `amount` would hold in the map `values` (S,); 0 in an empty map.

    Where scores have a size of their own (nats that were measured), it tells what a negligible one looks like
    here: more than 1 where all scores together are smaller.
    """
    total = float(np.abs(np.asarray(values, np.float64) * (1 if keep is None else keep)).sum())
    return amount / total if total > 0 else 0.0


RankBy = Literal["size", "value"]
"""What makes a score strong: its distance from 0, or (signed) how far above 0 it is. A method says which."""


def strengths(parts: Floats, by: RankBy = "size") -> Floats:
    """How strong each score is, for every order and verdict: `parts` (S,) itself, or its size."""
    return np.abs(parts) if by == "size" else np.asarray(parts)


def nothing_decisive(
    parts: Floats, keep: Mask | None = None, negligible: float = 0.0, by: RankBy = "size"
) -> bool:
    """Whether none of the segments that count stands out: `parts` (S,) shares, against `decisive_share`.

    True also where the strongest is below the share `negligible`, where all are 0, and for a single segment:
    there is nothing to tell it from.
    """
    counted = strengths(parts if keep is None else parts[keep], by)
    return len(counted) < 2 or float(counted.max()) < max(decisive_share(len(counted)), negligible)


def scale_top(parts: Floats, keep: Mask | None = None, negligible: float = 0.0) -> float:
    """The share that is drawn darkest: the strongest one, but never less than twice a decisive one (or 1).

    This is the colour scale's absolute floor: in a flat map every share is far below, so all stay pale. So
    they do where all are below the share `negligible`.
    """
    counted = np.abs(parts if keep is None else parts[keep])
    floor = max(min(1.0, 2 * decisive_share(len(counted))), 2 * negligible)
    return float(max(counted.max(initial=0.0), floor))


@dataclass(frozen=True, slots=True)
class Ranked:
    """One line of the ranked list; `share` of the prompt's total and the raw `score` in the map's units."""

    rank: int
    segment: Segment
    share: float
    score: float


def ranked(
    columns: Sequence[Segment],
    values: Floats,
    keep: Mask | None = None,
    limit: int | None = None,
    by: RankBy = "size",
) -> tuple[Ranked, ...]:
    """The segments that count, strongest first, ties in reading order, at most `limit`.

    `by` is the method's `rank_by`.
    """
    kept = countable(columns) if keep is None else keep
    parts = shares(values, kept)
    order = [i for i in np.argsort(-strengths(parts, by), kind="stable") if kept[i]][:limit]
    return tuple(
        Ranked(rank, columns[i], float(parts[i]), float(values[i])) for rank, i in enumerate(order, start=1)
    )
