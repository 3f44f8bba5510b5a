"""Every plan gives the same numbers; when memory runs out the next smaller one is taken and named."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.errors import AppError
from core.salience import memory, method, request_for, scored
from core.salience.gradients import backward, gradients
from core.salience.memory import PLANS, Plan

PROMPT, RESPONSE = "The soup has cheese", " would not like the soup."


@pytest.mark.parametrize("family", ["gemma2", "gpt2", "gpt_neox"])
def test_every_plan_gives_the_same_numbers(load_tiny, family):
    model = load_tiny(family)
    tokens = model.tokenize(PROMPT, RESPONSE)
    request = request_for(model, tokens, "grad_l2")
    expected = [gradient for _, gradient, _ in gradients(model, request)]
    for plan in PLANS[1:]:
        for row, gradient, _ in gradients(model, request, plan=plan):
            reach = request.targets[row][1] - 1
            torch.testing.assert_close(gradient[:reach], expected[row][:reach], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("quantization", ["none", "nf4"])
def test_batched_backward_passes_equal_single_ones(load_tiny, quantization):
    """nf4 layers have no rule for batches: the fallback must give the same rows, each once."""
    model = load_tiny("llama", quantization=quantization)
    ids = np.array(model.tokenize(PROMPT, RESPONSE).ids)
    positions = np.arange(len(ids) - 5, len(ids))
    with model.tape(ids, positions) as tape:
        single = torch.stack(list(backward(tape, torch.eye(5))))
    with model.tape(ids, positions) as tape:
        batched = torch.stack(list(backward(tape, torch.eye(5), batch=2)))
    torch.testing.assert_close(batched, single, rtol=1e-4, atol=1e-5)


def test_out_of_memory_takes_the_next_plan_and_says_so(load_tiny, monkeypatch):
    model = load_tiny("gpt2")
    tokens = model.tokenize(PROMPT, RESPONSE)
    request = request_for(model, tokens, "grad_l2")
    expected = method("grad_l2").run(model, request)
    tried: list[Plan] = []

    def scarce(model, request, *, stop, plan, how=None):
        tried.append(plan)
        if len(tried) < 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return gradients(model, request, stop=stop, plan=plan)

    monkeypatch.setattr(scored, "gradients", scarce)
    matrix = method("grad_l2").run(model, request)
    assert tried == list(PLANS[:3])
    assert matrix.note == PLANS[2].note and expected.note == ""
    np.testing.assert_allclose(matrix.values, expected.values, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(matrix.gram, expected.gram, rtol=1e-3, atol=1e-5)


def test_when_nothing_fits_the_sentence_has_the_figures(load_tiny, monkeypatch):
    model = load_tiny("gpt2")
    tokens = model.tokenize(PROMPT, RESPONSE)

    def none(*_, **__):
        raise RuntimeError(
            "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9"
        )

    monkeypatch.setattr(scored, "gradients", none)
    with pytest.raises(
        AppError, match=rf"explain {len(tokens)} tokens with gpt2 in float32: even row by row"
    ) as e:
        method("grad_l2").run(model, request_for(model, tokens, "grad_l2"))
    assert e.value.code == "memory"


def test_plans_that_cannot_fit_are_not_tried(load_tiny, monkeypatch):
    model = load_tiny("gpt2")
    request = request_for(model, model.tokenize(PROMPT, RESPONSE), "grad_l2")
    monkeypatch.setattr(memory, "free_bytes", lambda device: 10)
    assert memory.within_memory(model, request, lambda plan: plan) == PLANS[-1]


def test_other_errors_are_not_taken_for_memory(load_tiny):
    model = load_tiny("gpt2")
    request = request_for(model, model.tokenize(PROMPT, RESPONSE), "grad_l2")

    def broken(plan):
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        memory.within_memory(model, request, broken)
