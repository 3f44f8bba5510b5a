"""Rows one by one, in any order, for all methods that read the same gradients: the numbers of a whole run."""

from __future__ import annotations

import gc
import threading
import weakref
from dataclasses import replace

import numpy as np
import pytest

from core.aggregate import select
from core.errors import Stopped
from core.models import load
from core.records import ModelSpec
from core.salience import METHODS, method, request_for
from core.salience.gradient_rows import GradientRows
from core.salience.kept_tapes import kept

from .oracles import plain_gradient

PROMPT = "The soup has cheese in it.\nSo a vegan"
MEGABYTES = 1_000_000
READERS = tuple(member for member in METHODS if member.needs == "gradients" and member.score is not None)


class Counted:
    """Counts the forward passes of a model."""

    def __init__(self, model, monkeypatch):
        self.passes = 0
        kept(model).trim(0)
        tape = type(model).tape

        def counted(*args, **named):
            self.passes += 1
            return tape(*args, **named)

        monkeypatch.setattr(type(model), "tape", counted)


@pytest.mark.parametrize("family", ["gpt2", "gemma2", "llama"])
def test_rows_in_any_order_are_those_of_a_whole_run(load_tiny, family):
    model = load_tiny(family)
    tokens = model.tokenize(PROMPT, " would not eat it")
    request = request_for(model, tokens, "grad_l2")
    whole = {member.name: member.run(model, replace(request, method=member.name)) for member in READERS}
    rows = GradientRows(request, READERS, 100 * MEGABYTES)
    order = [2, 0, *[row for row in range(len(request.targets)) if row not in (0, 2)]]
    for row in order:
        rows.compute(model, [row])
    assert rows.there == order
    found = rows.matrices()
    for name, matrix in whole.items():
        scale = abs(matrix.values).max()
        assert found[name].request == matrix.request
        np.testing.assert_allclose(found[name].values, matrix.values, rtol=1e-5, atol=1e-6 * scale)
    gram = whole["grad_l2"].gram
    np.testing.assert_allclose(found["grad_l2"].gram, gram, rtol=1e-4, atol=1e-6 * gram.max())


def test_rows_of_spans_combine_to_the_whole_answer_exactly(load_tiny):
    model = load_tiny("gemma2")
    tokens = model.tokenize(PROMPT, " would not eat it")
    first, last = tokens.prompt_len, len(tokens)
    parts = ((first, first + 2), (first + 2, last))
    rows = GradientRows(request_for(model, tokens, "grad_l2", targets=parts), READERS, 100 * MEGABYTES)
    rows.compute(model, [1])
    rows.compute(model, [0])
    matrix = rows.matrices()["grad_l2"]
    gradient, _ = plain_gradient(model, tokens, np.ones(last - first))
    norms = np.linalg.norm(gradient, axis=1)
    np.testing.assert_allclose(select(matrix, np.ones(2)), norms, rtol=1e-4, atol=1e-5 * norms.max())
    for row, (start, stop) in enumerate(parts):
        gradient, _ = plain_gradient(model, tokens, [start <= i < stop for i in range(first, last)])
        norms = np.linalg.norm(gradient, axis=1)
        np.testing.assert_allclose(matrix.values[row], norms, rtol=1e-4, atol=1e-5 * norms.max())


def test_one_forward_pass_serves_all_rows_and_the_next_question(load_tiny, monkeypatch):
    model = load_tiny("gpt2")
    tokens = model.tokenize(PROMPT, " would not")
    counted = Counted(model, monkeypatch)
    first = tokens.prompt_len
    lines = GradientRows(
        request_for(model, tokens, "grad_l2", targets=((first, len(tokens)),)), READERS, 100 * MEGABYTES
    )
    lines.compute(model, [0])
    lines.done(model)
    single = GradientRows(request_for(model, tokens, "grad_dot_input"), READERS, 100 * MEGABYTES)
    for row in range(len(single.request.targets)):
        single.compute(model, [row])
    assert counted.passes == 1


def test_passes_too_large_to_keep_go_when_the_rows_are_done(load_tiny, monkeypatch):
    model = load_tiny("gpt2")
    tokens = model.tokenize(PROMPT, " would not")
    counted = Counted(model, monkeypatch)
    for _ in range(2):
        rows = GradientRows(request_for(model, tokens, "grad_l2"), READERS, 1)
        rows.compute(model, [0])
        rows.compute(model, [1])
        rows.done(model)
    assert counted.passes == 2


def test_a_kept_pass_goes_with_its_model(model_folder):
    model = load(ModelSpec(name="gpt2", path=str(model_folder("gpt2"))))
    tokens = model.tokenize(PROMPT, " would not")
    GradientRows(request_for(model, tokens, "grad_l2"), READERS, 100 * MEGABYTES).compute(model, [0])
    held = weakref.ref(next(iter(kept(model)._held.values()))[1].outputs)
    assert held() is not None
    del model
    gc.collect()
    assert held() is None


def test_stop_works_within_one_row(load_tiny):
    model = load_tiny("gpt2")
    tokens = model.tokenize(PROMPT, " would not")
    rows = GradientRows(request_for(model, tokens, "grad_l2"), READERS, 100 * MEGABYTES)
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        rows.compute(model, [0], stop)
    assert rows.there == []


def test_rows_outside_the_response_and_small_memory_go_their_own_way(load_tiny, monkeypatch):
    model = load_tiny("gpt2")
    tokens = model.tokenize(PROMPT, " would not")
    targets = ((3, 5), (tokens.prompt_len, len(tokens)))
    request = request_for(model, tokens, "grad_l2", targets=targets)
    rows = GradientRows(request, READERS, 100 * MEGABYTES)
    rows.compute(model, [1])
    rows.compute(model, [0])
    whole = method("grad_l2").run(model, request)
    np.testing.assert_allclose(rows.matrices()["grad_l2"].values, whole.values, rtol=1e-5, atol=1e-7)
