"""ROUGE-1, -2, -L and -Lsum, F1, the mean over rows: as the package `rouge-score`, with words of every script.

Words are `core.metrics.text.words`, so that identical Korean, Hebrew or Chinese text scores 1; on ASCII text the
values equal the package's (it is the tests' oracle). Subsequences are found by bit vectors (`core.metrics.lcs`),
which is needed for 10,000 rows in a minute.
Source: Lin 2004, "ROUGE: a package for automatic evaluation of summaries", sections 2, 3.1, 3.2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from core.metrics import lcs
from core.metrics.metric import Metric, mean_of, ratio
from core.metrics.text import words


def _f1(hits: int, answer: int, target: int) -> float:
    """The harmonic mean of hits / answer (precision) and hits / target (recall); 0 where either has nothing."""
    if not hits or not answer or not target:
        return 0.0
    precision, recall = hits / answer, hits / target
    return 2 * precision * recall / (precision + recall)


def rouge_n(response: str, target: str, n: int) -> float:
    """F1 of shared n-grams, 0 to 1; one that stands twice in both counts twice."""
    answer, wanted = (
        Counter(zip(*(each[i:] for i in range(n)))) for each in (words(response), words(target))
    )
    return _f1((answer & wanted).total(), answer.total(), wanted.total())


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
