"""Corpus BLEU by sacrebleu, from n-gram counts kept a row.

The tokenizer follows the targets' language and stands in the signature. Effective order is on, which
changes a value only where the texts are too short to hold a 4-gram; elsewhere the value is that of the
`sacrebleu` command.
Source: Papineni et al. 2002; Post 2018 (arXiv 1804.08771); smoothing "exp" of mteval-v13a.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec

import numpy as np
from sacrebleu.metrics.bleu import BLEU

from core.metrics.metric import Floats, Metric, MetricRow, streams

ORDERS = 4
_TOKENIZERS = {"zh": "zh", "th": "char"}
_WITH_MECAB = {"ja": ("ja-mecab", "MeCab"), "ko": ("ko-mecab", "mecab_ko")}


def tokenizer_for(language: str) -> str:
    """sacrebleu's name of the tokenizer for one of `core.metrics.text.LANGUAGES`.

    Japanese and Korean are cut by MeCab where it is installed, else into characters.
    """
    if language in _WITH_MECAB:
        name, module = _WITH_MECAB[language]
        return name if find_spec(module) else "char"
    return _TOKENIZERS.get(language, "13a")


@lru_cache(maxsize=8)
def _scorer(tokenizer: str) -> BLEU:
    return BLEU(tokenize=tokenizer, effective_order=True, force=True)


def _statistics(rows: Sequence[MetricRow], language: str) -> Floats:
    scorer = _scorer(tokenizer_for(language))
    answers = [row.answer for row in rows]
    return np.array(scorer._extract_corpus_statistics(answers, streams(rows)), dtype=np.float64)


def score(stats: Floats) -> Floats:
    """BLEU, 0 to 100, from (..., 10) sums: both lengths, 4 matched and 4 possible n-gram counts.

    The formula of sacrebleu's `compute_bleu` with "exp" smoothing and effective order, over whole arrays.
    """
    stats = np.asarray(stats, dtype=np.float64)
    lead = stats.shape[:-1]
    flat = stats.reshape(-1, 2 + 2 * ORDERS)
    length, reference = flat[:, 0], flat[:, 1]
    correct, total = flat[:, 2 : 2 + ORDERS], flat[:, 2 + ORDERS :]
    logs, order, smooth = np.zeros(len(flat)), np.zeros(len(flat)), np.ones(len(flat))
    for n in range(ORDERS):
        alive = total[:, n] > 0
        smooth = np.where(alive & (correct[:, n] == 0), smooth * 2, smooth)
        matched = np.where(correct[:, n] == 0, 1 / smooth, correct[:, n])
        logs += np.where(alive, np.log(100 * matched / np.where(alive, total[:, n], 1)), 0)
        order += alive
    penalty = np.exp(np.minimum(0.0, 1 - reference / np.maximum(length, 1e-300)))
    value = penalty * np.exp(logs / np.maximum(order, 1))
    return np.where(correct.any(axis=1), value, 0.0).reshape(lead)


def _signature(language: str) -> str:
    scorer = _scorer(tokenizer_for(language))
    scorer.num_refs = 1
    return str(scorer.get_signature())


METRIC = Metric(
    name="bleu",
    label="BLEU",
    description="Runs of one to four words that the answer shares with the target, over the whole set; "
    "answers that are too short are marked down.",
    units="points of 100",
    higher_is_better=True,
    range=(0.0, 100.0),
    statistics=_statistics,
    score=score,
    signature=_signature,
    decimals=2,
    references="all",
)
