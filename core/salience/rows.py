"""How finely a response can be explained within a memory budget.

A Gram matrix over N rows and T tokens takes 4 · T · N² bytes, so a long response is explained by the word,
then by the sentence. Knows sizes and segments, no model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from core.records import Tokens
from core.segments import segments

Spans = tuple[tuple[int, int], ...]
COARSER = (("word", "words"), ("sentence", "sentences"), ("paragraph", "paragraphs"))


def gram_bytes(tokens: int, rows: int) -> int:
    """Bytes of the inner products (T, N, N) in float32."""
    return 4 * tokens * rows * rows


def plan_rows(
    tokens: Tokens, budget_bytes: int, max_rows: int = 0, shown: Sequence[tuple[int, int]] | None = None
) -> tuple[Spans, str]:
    """The rows that explain the response of `tokens`, as fine as `budget_bytes` allows, and a note.

    `shown` are the token spans of the parts on the page, one row each; None: one row a token. At most
    `max_rows` of them where that is not 0: what a model elsewhere can be asked for. The rows partition the
    response. The note is empty for the rows that were wished for; else it says, for the page, how they were
    grouped and why.
    """
    total = len(tokens)
    first = min(max(tokens.prompt_len, 1), total)
    finest = tuple((index, index + 1) for index in range(first, total))
    if shown is not None and total > first:
        starts = sorted({first, *(max(start, first) for start, stop in shown if first < stop <= total)})
        parts = tuple(pairwise([*(start for start in starts if start < total), total]))
        if gram_bytes(total, len(parts)) <= budget_bytes and (not max_rows or len(parts) <= max_rows):
            return parts, ""

    def fits(rows: int) -> bool:
        return gram_bytes(total, rows) <= budget_bytes and (not max_rows or rows <= max_rows)

    if fits(len(finest)):
        return finest, ""
    why = (
        f"This model's server is asked for at most {max_rows} parts of an answer, which has "
        f"{len(finest):,} tokens"
        if gram_bytes(total, len(finest)) <= budget_bytes
        else f"Explaining each of the {len(finest):,} tokens of this answer alone would take "
        f"{gram_bytes(total, len(finest)) / 1e6:,.0f} MB, but {budget_bytes / 1e6:,.0f} MB are set aside "
        "for it"
    )
    for granularity, plural in COARSER:
        starts = sorted(
            {first, *(max(s.tokens[0], first) for s in segments(tokens, granularity, "response"))}
        )
        edges = [*(start for start in starts if start < total), total]
        spans = tuple(pairwise(edges))
        if fits(len(spans)):
            return spans, f"{why}, so it is explained by {plural} ({len(spans):,} of them)."
    rows = max(1, math.isqrt(budget_bytes // (4 * total)))
    rows = min(rows, max_rows) if max_rows else rows
    size = math.ceil(len(finest) / rows)
    spans = tuple((start, min(start + size, total)) for start in range(first, total, size))
    return spans, f"{why}, so it is explained in stretches of {size:,} tokens."
