"""Orders that look at no model: what a method must beat before anybody should believe it.

Random order, position, length, and words shared with the answer (BM25). Each takes the prompt's segments and
the answer and gives the segments' indices, first the one it would blame. Knows no tokens and no causes.
Source of BM25: Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework", equation 3.10, with the
inverse document frequency kept above 0 as Lucene does.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import regex

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
K1, B = 1.5, 0.75


@dataclass(frozen=True, slots=True)
class Control:
    """`order(texts, answer, seed)` gives the indices of `texts`, the most suspect first."""

    name: str
    label: str
    order: Callable[[Sequence[str], str, int], list[int]]


def words(text: str) -> list[str]:
    """Runs of letters and digits, case folded."""
    return _WORD.findall(text.casefold())


def bm25(texts: Sequence[str], query: str) -> list[float]:
    """BM25 of each text for the distinct words of `query`, the texts being the whole collection."""
    bags = [Counter(words(text)) for text in texts]
    lengths = [bag.total() for bag in bags]
    mean = sum(lengths) / max(len(lengths), 1) or 1.0
    scores = [0.0] * len(texts)
    for word in sorted(set(words(query))):
        holding = sum(word in bag for bag in bags)
        rarity = math.log(1 + (len(bags) - holding + 0.5) / (holding + 0.5))
        for row, (bag, length) in enumerate(zip(bags, lengths)):
            found = bag[word]
            scores[row] += rarity * found * (K1 + 1) / (found + K1 * (1 - B + B * length / mean))
    return scores


def _sorted(scores: Sequence[float]) -> list[int]:
    """Indices by falling score, ties in reading order."""
    return sorted(range(len(scores)), key=lambda i: -scores[i])


def _random(texts: Sequence[str], _answer: str, seed: int) -> list[int]:
    return random.Random(seed).sample(range(len(texts)), len(texts))  # noqa: S311 - no secret


CONTROLS: tuple[Control, ...] = (
    Control("random", "random order", _random),
    Control("nearest", "nearest to the answer", lambda texts, _a, _s: list(reversed(range(len(texts))))),
    Control("first", "first in the prompt", lambda texts, _a, _s: list(range(len(texts)))),
    Control("longest", "longest", lambda texts, _a, _s: _sorted([len(text.strip()) for text in texts])),
    Control("bm25", "words shared with the answer (BM25)", lambda t, answer, _s: _sorted(bm25(t, answer))),
)
