"""ROUGE-1, -2, -L and -Lsum, F1, the mean over rows: `rouge-score` with words of every script.

The library's own n-gram counting and F-measure do the work with `core.metrics.text.words` as the tokenizer,
so that identical Korean, Hebrew or Chinese text scores 1; on ASCII text values equal the library's. Its
subsequence table is replaced by bit vectors (`core.metrics.lcs`), which gives the same figures and is
needed for 10,000 rows in a minute.
Source: Lin 2004, "ROUGE: a package for automatic evaluation of summaries", sections 2, 3.1, 3.2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from rouge_score import scoring

from core.metrics import lcs
from core.metrics.base import Metric, mean_of, ratio
from core.metrics.text import words

if TYPE_CHECKING:
    from rouge_score.rouge_scorer import RougeScorer


class _Words:
    """`words`, with the face of a rouge-score tokenizer."""

    def tokenize(self, text: str) -> list[str]:
        return words(text)


@lru_cache(maxsize=2)
def _scorer(n: int) -> RougeScorer:
    from rouge_score.rouge_scorer import (
        RougeScorer,
    )  # brings NLTK: half a second that a first page need not wait

    return RougeScorer([f"rouge{n}"], tokenizer=_Words())


def rouge_n(response: str, target: str, n: int) -> float:
    """F1 of shared n-grams, 0 to 1."""
    return float(_scorer(n).score(target, response)[f"rouge{n}"].fmeasure)


def _f1(hits: int, answer: int, target: int) -> float:
    return float(scoring.fmeasure(hits / answer, hits / target)) if answer and target else 0.0


def rouge_l(response: str, target: str) -> float:
    """F1 of the longest common subsequence of words, 0 to 1."""
    answer, wanted = words(response), words(target)
    return _f1(lcs.length(wanted, answer), len(answer), len(wanted))


def rouge_lsum(response: str, target: str) -> float:
    """F1 of the union of each target line's common subsequences with the answer's lines, 0 to 1."""
    answer = [words(line) for line in response.split("\n") if line]
    wanted = [words(line) for line in target.split("\n") if line]
    left = Counter(word for line in answer for word in line)
    needed = Counter(word for line in wanted for word in line)
    hits = 0
    for line in wanted:
        for index in sorted({i for other in answer for i in lcs.indices(line, other)}):
            word = line[index]
            if left[word] > 0 and needed[word] > 0:  # a word of the answer counts once, as in ROUGE 1.5.5
                hits += 1
                left[word] -= 1
                needed[word] -= 1
    return _f1(hits, sum(map(len, answer)), sum(map(len, wanted)))


def _declare(name: str, label: str, description: str, function: Callable[[str, str], float]) -> Metric:
    return Metric(
        name=name,
        label=label,
        description=description,
        units="F1, 0 to 1",
        higher_is_better=True,
        range=(0.0, 1.0),
        statistics=mean_of(function),
        score=ratio,
        signature=lambda _language: f"{label} F1, no stemming, Unicode words, mean over rows, rouge-score",
    )


ROUGE_1 = _declare(
    "rouge1", "ROUGE-1", "Single words that answer and target share.", lambda r, t: rouge_n(r, t, 1)
)
ROUGE_2 = _declare(
    "rouge2",
    "ROUGE-2",
    "Pairs of neighbouring words that answer and target share.",
    lambda r, t: rouge_n(r, t, 2),
)
ROUGE_L = _declare(
    "rougeL", "ROUGE-L", "The longest series of words that both have in the same order.", rouge_l
)
ROUGE_LSUM = _declare(
    "rougeLsum", "ROUGE-Lsum", "As ROUGE-L, line by line: for answers of several lines.", rouge_lsum
)
