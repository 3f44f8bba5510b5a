"""Packs a salience matrix so that the browser can explain any selection of response segments by itself.

Norms do not add, so for them the Gram matrix of the rows travels, its upper triangle only (`core.aggregate`
says why); rows of other methods add. What would be larger than a limit travels as single rows, and then a
selection of several segments is asked of Python. The other half of this module is `scores.js`. Knows no page.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core import aggregate
from core.records import Reduce, SalienceMatrix, Segment

Kind = Literal["gram", "additive", "single"]
LIMIT_BYTES = 4 << 20
"""Most that one map may weigh on the wire, as base64."""


def _base64(array: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(array, "<f4").tobytes()).decode("ascii")


@dataclass(frozen=True, eq=False)
class Scores:
    """What the browser needs: `data` (rows or row pairs, width) float32 and how columns read the width.

    `exact` maps selections (sorted response segment indices) to column scores (C,) that were computed for
    just that selection; they win over `data`. `available` (rows,) says which single rows `data` has.
    """

    kind: Kind
    rows: int
    columns: tuple[Segment, ...]
    data: NDArray[np.float32]
    starts: tuple[int, ...]
    stops: tuple[int, ...]
    reduce: Reduce
    available: tuple[bool, ...]
    exact: Mapping[tuple[int, ...], NDArray[np.float32]]
    least_top: float = 0.0
    """The share that is drawn strongest at least: the same in several views puts them on one scale."""
    negligible: float = 0.0
    """The score below which a column decides nothing (`core.salience.Method.negligible`)."""
    rank_by: aggregate.RankBy = "size"
    """What makes a column strong (`core.salience.Method.rank_by`)."""

    @cached_property
    def wire(self) -> dict[str, Any]:
        """The form that travels: JSON-serialisable, arrays as little-endian float32 in base64."""
        count = int(aggregate.countable(self.columns).sum())
        packed = {
            "kind": self.kind,
            "rows": self.rows,
            "width": int(self.data.shape[1]),
            "data": _base64(self.data),
            "starts": list(self.starts),
            "stops": list(self.stops),
            "reduce": self.reduce,
            "available": list(self.available),
            "exact": {",".join(map(str, key)): _base64(values) for key, values in self.exact.items()},
            # Shares cannot pass 1, so a lone segment is never decisive.
            "decisive": aggregate.decisive_share(count) if count > 1 else 2.0,
            "negligible": self.negligible,
            "rank_by": self.rank_by,
            "floor": max(aggregate.scale_top(np.zeros(count, np.float32)), self.least_top),
        }
        digest = blake2b(repr(packed).encode(), digest_size=8).hexdigest()
        return {"id": digest, **packed}


def pack(
    matrix: SalienceMatrix | None,
    row_segments: Sequence[Segment],
    column_segments: Sequence[Segment],
    reduce: Reduce = "sum",
    *,
    exact: Mapping[tuple[int, ...], NDArray[np.float32]] | None = None,
    negligible: float = 0.0,
    rank_by: aggregate.RankBy = "size",
    limit_bytes: int = LIMIT_BYTES,
) -> Scores:
    """Scores for response segments (rows) over prompt segments (columns).

    While `matrix` is None only the selections in `exact` have a map: indices of `row_segments` in rising
    order against column scores (C,), as from one backward for the clicked segments. Costs about
    P × N² × R multiplications for a norm: keep the result across reruns.
    """
    packed = _packed(matrix, row_segments, column_segments, reduce, dict(exact or {}), limit_bytes)
    return replace(packed, negligible=negligible, rank_by=rank_by)


def _packed(
    matrix: SalienceMatrix | None,
    row_segments: Sequence[Segment],
    column_segments: Sequence[Segment],
    reduce: Reduce,
    given: dict[tuple[int, ...], NDArray[np.float32]],
    limit_bytes: int,
) -> Scores:
    columns = tuple(column_segments)
    none = np.zeros((0, 0), np.float32)
    size = len(row_segments)
    if matrix is None or not size or not columns:
        return Scores("single", size, columns, none, (), (), reduce, (False,) * size, given)
    rows = np.array([aggregate.rows_for(matrix, s.tokens) for s in row_segments], np.float32)
    counted = rows.sum(axis=1)
    available = tuple(((counted == 1) if matrix.combines == "alone" else (counted > 0)).tolist())
    width = max(s.tokens[1] for s in columns)
    starts, stops = zip(*(s.tokens for s in columns))
    # Segments that share a coarse row would count it twice when added up.
    apart = float(rows.sum(axis=0).max(initial=0)) <= 1
    pairs = size * (size + 1) // 2 if matrix.gram is not None else size
    if apart and matrix.combines != "alone" and pairs * width * 16 / 3 <= limit_bytes:
        if matrix.gram is None:
            data = rows @ matrix.values[:, :width]
            return Scores("additive", size, columns, data, starts, stops, reduce, available, given)
        data = _triangle(rows, matrix.gram[:width])
        return Scores("gram", size, columns, data, starts, stops, reduce, available, given)
    single = np.nan_to_num(aggregate.to_segments(matrix, row_segments, columns, reduce).values)
    if single.size * 16 / 3 > limit_bytes:
        return Scores("single", size, columns, none, (), (), reduce, (False,) * size, given)
    adds = apart and matrix.combines == "add" and reduce != "max"
    each = tuple(range(len(columns)))
    after = tuple(range(1, len(columns) + 1))
    return Scores(
        "additive" if adds else "single", size, columns, single, each, after, "sum", available, given
    )


def _triangle(rows: NDArray[np.float32], gram: NDArray[np.float32]) -> NDArray[np.float32]:
    """Upper triangle (R (R + 1) / 2, P) of `rows` K_i `rows`ᵀ for each token i, row by row."""
    between = rows @ gram @ rows.T
    upper, right = np.triu_indices(len(rows))
    return np.ascontiguousarray(between[:, upper, right].T, np.float32)


def chosen_weights(
    matrix: SalienceMatrix, row_segments: Sequence[Segment], indices: Sequence[int]
) -> NDArray[np.float32]:
    """Weights (N,) of the matrix's rows for a selection of response segments, each row at most once."""
    weights = np.zeros(len(matrix.values), np.float32)
    for index in indices:
        np.maximum(weights, aggregate.rows_for(matrix, row_segments[index].tokens), out=weights)
    return weights
