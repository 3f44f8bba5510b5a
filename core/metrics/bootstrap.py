"""Bootstrap over rows: intervals of a score and the paired test of two systems, from summed statistics.

A resample is a count of how often each row was drawn, so that one matrix product gives the summed
statistics of many resamples at once. Knows no text and no metric.
Source: Efron 1979 (percentile interval); Koehn 2004 and Riezler & Maxwell 2005 (paired test). The test here
is two-sided, where `sacrebleu --paired-bs` counts the upper tail alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from core.metrics.metric import Floats

RESAMPLES = 1000
SEED = 12345
_CHUNK_CELLS = 4_000_000


def draws(rows: int, resamples: int = RESAMPLES, seed: int = SEED) -> Iterator[Floats]:
    """Chunks (B, rows) of how often each row is drawn; one seed gives every metric the same draws."""
    rng = np.random.default_rng(seed)
    chunk = max(1, _CHUNK_CELLS // max(rows, 1))
    for start in range(0, resamples, chunk):
        count = min(chunk, resamples - start)
        picked = rng.integers(0, rows, size=(count, rows))
        picked += np.arange(count)[:, None] * rows
        yield np.bincount(picked.ravel(), minlength=count * rows).reshape(count, rows).astype(np.float64)


def resampled(stats: Floats, resamples: int = RESAMPLES, seed: int = SEED) -> Floats:
    """Summed statistics of each resample, (rows, K) -> (resamples, K)."""
    if not len(stats):
        return np.full((resamples, stats.shape[1]), np.nan)
    return np.concatenate([counts @ stats for counts in draws(len(stats), resamples, seed)])


def interval(scores: Floats, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval of resampled scores, NaN ones left out."""
    scores = scores[np.isfinite(scores)]
    if not len(scores):
        return float("nan"), float("nan")
    tail = 50 * (1 - level)
    low, high = np.percentile(scores, [tail, 100 - tail])
    return float(low), float(high)


def paired(
    first: Floats,
    second: Floats,
    score: Callable[[Floats], Floats],
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> tuple[float, float, float]:
    """95 % interval of `second - first` and the two-sided p-value of their difference; NaN where rows drawn again
    show no spread, so that nothing can be said.

    `first`, `second`: (rows, K) statistics of the same rows in the same order. The null distribution is the
    resampled difference moved to mean 0; p counts those at least as far from 0 as the difference seen, plus
    one.
    """
    width = first.shape[1]
    both = resampled(np.concatenate([first, second], axis=1), resamples, seed)
    differences = score(both[:, width:]) - score(both[:, :width])
    seen = float(score(second.sum(axis=0)) - score(first.sum(axis=0)))
    kept = differences[np.isfinite(differences)]
    if not len(kept) or not np.isfinite(seen):
        return float("nan"), float("nan"), float("nan")
    if np.ptp(kept) < 1e-12 and abs(seen) > 1e-12:
        return (
            float("nan"),
            float("nan"),
            float("nan"),
        )  # every row differs alike: drawing again shows no spread
    low, high = interval(kept)
    # rounding noise must not count as "less far": identical systems give p = 1
    far = np.abs(kept - kept.mean()) >= abs(seen) - 1e-12
    return low, high, (int(far.sum()) + 1) / (len(kept) + 1)
