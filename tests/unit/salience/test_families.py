"""Every family in every precision: causal, finite, and what plain autograd finds in the same weights."""

from __future__ import annotations

import numpy as np
import pytest

from core.records import GenerationParams
from core.salience import method, request_for

from .oracles import dense, plain_gradient

FAMILIES = ["gemma2", "gemma3_text", "llama", "mistral", "qwen2", "qwen3", "gpt2", "gpt_neox"]
# Largest difference to plain autograd in float64 on the same weights, as a part of the largest score. float32 is
# within some 1e-6 of float64 whichever way it sums (which way, threads and processor choose: against a float32
# oracle both errors add, and 1e-6 failed on some machines). nf4 computes with its de-quantised weights; int8 also
# rounds activations, and bf16 keeps 8 bits of everything.
PRECISIONS = {
    ("float32", "none"): 4e-6,
    ("bfloat16", "none"): 0.05,
    ("float16", "none"): 0.05,
    ("float32", "nf4"): 4e-6,
    ("bfloat16", "nf4"): 0.05,
    ("float32", "int8"): 0.05,
}


@pytest.mark.parametrize(("dtype", "quantization"), PRECISIONS)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_in_every_precision(load_tiny, family, dtype, quantization):
    model = load_tiny(family, dtype=dtype, quantization=quantization)
    prompt = model.tokenize("The soup has cheese in it.\nSo a vegan")
    made = model.generate(prompt, GenerationParams(max_new_tokens=3))  # before: it must not spoil gradients
    assert np.isfinite(made.logprob_nats).all()
    tokens = model.tokenize("The soup has cheese in it.\nSo a vegan", " would not")
    rows = len(tokens) - tokens.prompt_len
    matrix = method("grad_l2").run(model, request_for(model, tokens, "grad_l2"))
    for row, (_, end) in enumerate(matrix.request.targets):
        assert (matrix.values[row, end - 1 :] == 0).all()
    net = dense(model).double()
    tolerance = PRECISIONS[dtype, quantization]
    for row in (0, rows - 1):
        gradient, _ = plain_gradient(model, tokens, np.eye(rows)[row], net)
        norms = np.linalg.norm(gradient, axis=1)
        assert np.abs(matrix.values[row] - norms).max() <= tolerance * norms.max()
