"""Words of an answer, found again as its tokens."""

from __future__ import annotations

import numpy as np

from core.errors import AppError
from core.records import Tokens


def span_of_words(tokens: Tokens, text: str, occurrence: int) -> tuple[int, int]:
    """The tokens (half-open, counted from the prompt's first) that hold the answer's words `text`.

    Words that begin or end within a token take the whole token. Raises: AppError where they are not there.
    """
    start = _find(tokens.response, text, occurrence)
    inside = tokens.char_spans[tokens.prompt_len :] - tokens.prompt_chars
    touched = np.flatnonzero((inside[:, 0] < start + len(text)) & (inside[:, 1] > start))
    return int(touched[0]) + tokens.prompt_len, int(touched[-1]) + 1 + tokens.prompt_len


def _find(response: str, text: str, occurrence: int) -> int:
    if not text:
        raise AppError("Which words? The text is empty.")
    at = -1
    for _ in range(max(occurrence, 1)):
        at = response.find(text, at + 1)
        if at < 0:
            there = response.count(text)
            raise AppError(
                f"The answer does not hold {text!r}."
                if not there
                else f"The answer holds {text!r} {there} times, not {occurrence}.",
                hint=f"It is: {response.strip():.200}",
            )
    return at
