"""Several texts in one pass: each gets what it gets alone, and what the two methods give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.salience import method, request_for
from core.salience.batched import together

TEXTS = [("The soup has cheese in it.", " So a vegan would not"), ("Analyze", " a menu"), ("A b c d e", " f")]


def near(one: np.ndarray, other: np.ndarray) -> bool:
    """Equal to 1e-5 of the largest score (of 1 where all are smaller)."""
    return bool(np.abs(one - other).max() <= 1e-5 * max(1.0, np.abs(other).max()))


@pytest.mark.parametrize("family", ["gemma2", "gpt2", "llama"])
def test_each_text_of_a_batch_gets_its_own_scores(load_tiny, family) -> None:
    model = load_tiny(family)
    tokens = [model.tokenize(*text) for text in TEXTS]
    items = [(t.ids, np.arange(t.prompt_len, len(t))) for t in tokens]
    batch = together(model, items)
    for t, item, (l2, dot) in zip(tokens, items, batch):
        alone = together(model, [item])[0]
        assert near(l2, alone[0])
        assert near(dot, alone[1])
        for name, got in (("grad_l2", l2), ("grad_dot_input", dot)):
            request = replace(request_for(model, t, name), targets=((t.prompt_len, len(t)),))
            assert near(method(name).run(model, request).values[0], got)
        assert l2[-1] == 0


def test_scattered_positions_and_none(load_tiny) -> None:
    model = load_tiny("gemma2")
    t = model.tokenize(*TEXTS[0])
    first, last = t.prompt_len, len(t) - 2
    (_, scattered), (_, one), (_, other), (l2, dot) = together(
        model,
        [
            (t.ids, np.array([first, last])),
            (t.ids, np.array([first])),
            (t.ids, np.array([last])),
            (t.ids, np.zeros(0, np.int64)),
        ],
    )
    assert near(scattered, one + other)
    assert not l2.any()
    assert not dot.any()
    assert len(l2) == len(t)
