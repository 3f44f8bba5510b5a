"""Between two tokens that a real model writes, other work may use it, gradients and all."""

from __future__ import annotations

import threading

import numpy as np

from core.records import GenerationParams
from core.salience import method, request_for


def test_a_map_between_two_tokens_changes_neither_the_answer_nor_the_map(load_tiny):
    model = load_tiny("gemma2")
    prompt = model.tokenize("The soup has cheese in it.\nSo a vegan")
    params = GenerationParams(max_new_tokens=6)
    plain = model.generate(prompt, params)
    tokens = model.tokenize("The soup has", " cheese in it")
    alone = method("grad_l2").run(model, request_for(model, tokens, "grad_l2"))
    maps = []

    class Asked(threading.Event):
        def is_set(self) -> bool:
            maps.append(method("grad_l2").run(model, request_for(model, tokens, "grad_l2")))
            return False

    made = model.generate(prompt, params, stop=Asked())
    assert made.text == plain.text
    np.testing.assert_array_equal(made.logprob_nats, plain.logprob_nats)
    assert len(maps) >= 6
    np.testing.assert_array_equal(maps[0].values, alone.values)
