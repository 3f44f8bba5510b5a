"""Rows within a budget: fine when it allows, grouped with a note when it does not, always a partition."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.records import Tokens
from core.salience import plan_rows
from core.salience.rows import gram_bytes


def letters(prompt: str, response: str) -> Tokens:
    """One token a character."""
    text = prompt + response
    size = len(text)
    spans = np.array([(i, i + 1) for i in range(size)], np.int64)
    role = np.array([0] * len(prompt) + [1] * len(response))
    return Tokens(np.arange(size), text, spans, np.zeros(size, bool), role, len(prompt))


TOKENS = letters("Why? ", "One two three. Four five. Six.")


def test_tokens_words_sentences_then_stretches():
    total = len(TOKENS)
    assert plan_rows(TOKENS, gram_bytes(total, 30)) == (tuple((i, i + 1) for i in range(5, total)), "")
    words, note = plan_rows(TOKENS, gram_bytes(total, 10))
    assert [TOKENS.text[a:b].strip() for a, b in words] == ["One", "two", "three.", "Four", "five.", "Six."]
    assert "by words (6 of them)" in note
    sentences, note = plan_rows(TOKENS, gram_bytes(total, 3))
    assert len(sentences) == 3 and "sentences" in note
    stretches, note = plan_rows(letters("Why? ", "x\n\n" * 30), gram_bytes(95, 4))
    assert len(stretches) == 4 and "stretches of 23 tokens" in note


@given(st.text("ab .\n", min_size=1, max_size=60), st.integers(0, 200_000))
def test_rows_partition_the_response_and_fit(response, budget):
    tokens = letters("p", response)
    spans, _ = plan_rows(tokens, budget)
    assert [i for a, b in spans for i in range(a, b)] == list(range(1, len(tokens)))
    assert len(spans) == 1 or gram_bytes(len(tokens), len(spans)) <= budget


def test_a_limit_of_rows_groups_too_and_says_why():
    total = len(TOKENS)
    plenty = gram_bytes(total, total)
    words, note = plan_rows(TOKENS, plenty, max_rows=10)
    assert len(words) <= 10
    assert "at most 10 parts" in note
    one, _ = plan_rows(letters("Why? ", "x" * 90), plenty, max_rows=4)
    assert len(one) <= 4
    assert one[0][0] == 5 and one[-1][1] == 95
    assert plan_rows(TOKENS, plenty, max_rows=total) == plan_rows(TOKENS, plenty)


def test_the_parts_on_the_page_are_the_rows_where_they_fit():
    total = len(TOKENS)
    budget = gram_bytes(total, 3)
    # What ends before the answer is left out, what begins before it is cut, what is behind it is nothing.
    shown = ((0, 3), (3, 9), (9, 19), (19, total), (total, total), (total, total + 4))
    assert plan_rows(TOKENS, budget, shown=shown) == (((5, 9), (9, 19), (19, total)), "")
    assert plan_rows(TOKENS, budget, max_rows=3, shown=shown)[0] == ((5, 9), (9, 19), (19, total))
    fewer, note = plan_rows(TOKENS, budget, max_rows=2, shown=shown)
    assert len(fewer) <= 2 and note
    assert len(plan_rows(TOKENS, gram_bytes(total, 2), shown=shown)[0]) <= 2
    # From one part on the page to the end of the answer, whatever the parts leave out.
    assert plan_rows(TOKENS, budget, shown=((9, 12),))[0] == ((5, 9), (9, total))


def test_the_note_tells_both_sizes():
    _, note = plan_rows(letters("Why? ", "x y " * 250), 100_000_000)
    assert "Explaining each of the 1,000 tokens" in note
    assert "would take 4,020 MB, but 100 MB are set aside" in note  # 4 bytes * 1,005 * 1,000 * 1,000
