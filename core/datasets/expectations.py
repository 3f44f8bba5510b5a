"""promptfoo's expectations, as texts that an answer should be or hold; its other checks are no text.

`icontains:bonjour`, `similar(0.8): hello`, a plain text (an equality), or the same as `{type, value}`.
Source: promptfoo's documentation, "Assertions & metrics". Knows no file and no example.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import regex

_COLUMN = regex.compile(r"__expected\d*")
_TYPED = regex.compile(r"(?P<check>[a-z]+(?:-[a-z]+)*)(?:\([^()\n]*\))?:(?P<text>.*)", regex.DOTALL)
_TEXT = ("equals", "contains", "icontains", "starts-with", "similar", "levenshtein")
_ANY = ("contains-any", "icontains-any")
_OTHER = frozenset(
    (
        *(
            "answer-relevance",
            "bleu",
            "classifier",
            "contains-all",
            "contains-html",
            "contains-json",
            "contains-sql",
        ),
        *(
            "contains-xml",
            "context-faithfulness",
            "context-recall",
            "context-relevance",
            "conversation-relevance",
        ),
        *(
            "cost",
            "eval",
            "factuality",
            "file",
            "fn",
            "g-eval",
            "gleu",
            "grade",
            "guardrails",
            "icontains-all",
        ),
        *(
            "is-html",
            "is-json",
            "is-refusal",
            "is-sql",
            "is-valid-function-call",
            "is-xml",
            "javascript",
            "latency",
        ),
        *(
            "llm-rubric",
            "max-score",
            "meteor",
            "model-graded-closedqa",
            "model-graded-factuality",
            "moderation",
        ),
        *("perplexity", "perplexity-score", "pi", "python", "regex", "rouge-n", "ruby", "search-rubric"),
        *("select-best", "trajectory", "webhook", "word-count"),
    )
)


def is_column(name: str) -> bool:
    """Whether a column of that name holds expectations."""
    return _COLUMN.fullmatch(name.strip().casefold()) is not None


def texts(cell: str) -> list[str] | None:
    """The texts in a cell; None for a check that is no text."""
    found = _TYPED.fullmatch(cell.strip())
    check = found["check"] if found else cell.strip()
    if check in _OTHER:
        return None
    if found and check in _TEXT:
        return [found["text"].strip()]
    if found and check in _ANY:
        return [one.strip() for one in found["text"].split(",")]
    negated = check.removeprefix("not-") if check.startswith("not-") else ""
    return None if found and negated in (*_TEXT, *_ANY, *_OTHER) else [cell]


def of_list(checks: Any) -> tuple[list[str], int]:
    """Texts of a test's `assert`, and how many of its checks are no text."""
    hoped: list[str] = []
    other = 0
    for one in checks if isinstance(checks, list) else ():
        kind, value = (one.get("type"), one.get("value")) if isinstance(one, Mapping) else (None, None)
        listed = value if isinstance(value, list) else [value]
        if kind in (*_TEXT, *_ANY):
            hoped += [str(text) for text in listed if isinstance(text, (str, int, float))]
        else:
            other += 1
    return hoped, other
