"""Rows in, figures out: which rows a metric can score, each row's value, the aggregate, and the test of two
systems.

Empty targets, missing answers, errors and stopped answers are left out and counted; an empty answer that
the model did give is scored. Knows no model and no store: whoever calls has the rows.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import AppError, Stopped
from core.metrics import bootstrap, shares
from core.metrics.metric import Floats, Metric, MetricRow
from core.metrics.text import LANGUAGES, language_of

_CHUNK_ROWS = 200
REASONS = {
    "no target": "without a target",
    "missing": "not run yet",
    "error": "ended in an error",
    "stopped": "stopped",
    "no logprob": "whose target the model was not asked about",
    "unsure": "unsure",
    "skipped": "not to be asked",
}


@dataclass(frozen=True, eq=False)
class Measured:
    """A metric on a list of rows: statistics (N, K), which rows count (N,), and why the others don't (N,)."""

    metric: Metric
    language: str
    statistics: Floats
    kept: NDArray[np.bool_]
    reasons: tuple[str, ...]
    references: str = "1"
    """How many targets a row has: a number, or "var" where that differs."""

    @property
    def values(self) -> Floats:
        """One value a row, (N,); NaN where the row is left out."""
        return np.where(self.kept, self.metric.score(self.statistics), np.nan)


@dataclass(frozen=True)
class Aggregate:
    """The value of a metric on the rows that count, with its 95 % interval."""

    metric: Metric
    value: float
    low: float
    high: float
    rows: int
    left_out: tuple[tuple[str, int], ...]
    signature: str
    note: str = ""
    """Why there is no interval, in a sentence; usually empty."""

    @property
    def sentence(self) -> str:
        """What was counted, in words: "N = 12; left out: 3 without a target, 1 stopped"."""
        text = f"N = {self.rows:,}"
        if self.left_out:
            text += "; left out: " + ", ".join(f"{count:,} {REASONS[why]}" for why, count in self.left_out)
        return text


@dataclass(frozen=True)
class PairedTest:
    """Two systems on the same rows: `difference` is second minus first, `p` of `test`, two-sided."""

    metric: Metric
    first: float
    second: float
    difference: float
    low: float
    high: float
    p: float
    rows: int
    test: str = "paired bootstrap"


def why_left_out(row: MetricRow, metric: Metric) -> str:
    """A key of `REASONS`, or "" where the row counts."""
    if metric.needs != "answer" and not row.targets:
        return "no target"
    if metric.needs == "logprob":
        known = row.target_logprob_nats is not None and math.isfinite(row.target_logprob_nats)
        return "" if known and row.target_tokens else "no logprob"
    if row.state != "ok":
        return row.state
    return "" if row.response is not None else "missing"


def references_of(rows: Sequence[MetricRow]) -> str:
    """How many targets each of `rows` has that has one, as sacrebleu's signature says it."""
    counts = {len(row.targets) for row in rows if row.targets}
    return "var" if len(counts) > 1 else str(next(iter(counts), 1))


def resolve_language(rows: Sequence[MetricRow], language: str) -> str:
    """`language`, or the one that the targets are written in where it is "auto"."""
    names = [name for name, _label in LANGUAGES]
    if language not in names:
        raise AppError(f"The language should be one of {', '.join(names)}, but it is {language!r}.")
    return language_of(one for row in rows for one in row.targets) if language == "auto" else language


def measure(
    rows: Sequence[MetricRow],
    metric: Metric,
    language: str = "auto",
    *,
    on_rows: Callable[[int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Measured:
    """Statistics of every row that counts.

    `on_rows` hears how many rows are done; `stop` is asked between chunks of 200 rows.
    Raises: AppError where there are no rows, `Stopped` where `stop` said so.
    """
    if not rows:
        raise AppError(
            "There are no examples to score: the selection is empty.", hint="Choose some rows first."
        )
    language = resolve_language(rows, language)
    reasons = tuple(why_left_out(row, metric) for row in rows)
    kept = np.array([not why for why in reasons])
    parts: list[Floats] = []
    wanted = np.flatnonzero(kept)
    for start in range(0, len(wanted), _CHUNK_ROWS):
        if stop is not None and stop():
            raise Stopped()
        chunk = [rows[i] for i in wanted[start : start + _CHUNK_ROWS]]
        parts.append(metric.statistics(chunk, language))
        if on_rows is not None:
            on_rows(min(start + _CHUNK_ROWS, len(wanted)))
    width = parts[0].shape[1] if parts else 2
    statistics = np.zeros((len(rows), width))
    if parts:
        statistics[wanted] = np.concatenate(parts)
    unsure = np.asarray(~np.isfinite(statistics).all(axis=1), dtype=bool)
    kept, statistics[unsure] = kept & ~unsure, 0
    reasons = tuple("unsure" if undecided else why for why, undecided in zip(reasons, unsure.tolist()))
    return Measured(metric, language, statistics, kept, reasons, references_of(rows))


def aggregate(
    measured: Measured,
    mask: NDArray[np.bool_] | None = None,
    *,
    resamples: int = bootstrap.RESAMPLES,
    seed: int = bootstrap.SEED,
) -> Aggregate:
    """The value with its interval over all rows, or over those of `mask` (N,): a slice or a selection."""
    inside = np.ones(len(measured.kept), dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
    stats = measured.statistics[measured.kept & inside]
    metric = measured.metric
    reasons = Counter(why for why, counts in zip(measured.reasons, inside) if why and counts)
    left_out = tuple((why, reasons[why]) for why in REASONS if reasons[why])
    value, low, high = float("nan"), float("nan"), float("nan")
    if len(stats):
        value = float(metric.score(stats.sum(axis=0)))
        if metric.share:
            low, high = shares.exact(round(float(stats[:, 0].sum())), len(stats))
        else:
            low, high = bootstrap.interval(metric.score(bootstrap.resampled(stats, resamples, seed)))
    note = "" if metric.share else _no_interval(stats)
    if note:
        low = high = float("nan")
    signature = metric.signature(measured.language).replace("nrefs:1", f"nrefs:{measured.references}")
    return Aggregate(metric, value, low, high, len(stats), left_out, signature, note)


def _no_interval(stats: Floats) -> str:
    """Why drawing rows again says nothing of how sure the value is; "" where it does."""
    if len(stats) == 1:
        return "one row has no interval"
    if len(stats) and (stats == stats[0]).all():
        return f"all {len(stats):,} rows are alike, so drawing them again shows no spread"
    return ""


def compare(
    first: Measured,
    second: Measured,
    mask: NDArray[np.bool_] | None = None,
    *,
    resamples: int = bootstrap.RESAMPLES,
    seed: int = bootstrap.SEED,
) -> PairedTest:
    """Whether two systems differ, on the rows that count for both; the rows stand in the same order.

    Shares are compared by the rows where the two differ (McNemar's exact test, Newcombe's interval), everything
    else by the paired bootstrap.

    Raises: AppError for different metrics, languages or numbers of rows, or where no row counts for both.
    """
    if first.metric.name != second.metric.name or first.language != second.language:
        raise AppError(
            f"Only one metric in one language can be compared; got {first.metric.label} ({first.language}) "
            f"and {second.metric.label} ({second.language})."
        )
    if len(first.kept) != len(second.kept):
        raise AppError(
            f"Both systems should have the same rows, but the first has {len(first.kept):,} and the second "
            f"{len(second.kept):,}."
        )
    both = first.kept & second.kept
    if mask is not None:
        both &= np.asarray(mask, dtype=bool)
    if not both.any():
        raise AppError("No row has an answer of both systems and a target, so there is nothing to compare.")
    a, b, metric = first.statistics[both], second.statistics[both], first.metric
    before, after = float(metric.score(a.sum(axis=0))), float(metric.score(b.sum(axis=0)))
    test = "paired bootstrap"
    if metric.share:
        low, high, p = shares.paired(a[:, 0] > 0.5, b[:, 0] > 0.5)
        test = "McNemar, exact"
    else:
        low, high, p = bootstrap.paired(a, b, metric.score, resamples, seed)
    return PairedTest(metric, before, after, after - before, low, high, p, int(both.sum()), test)
