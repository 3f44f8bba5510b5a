"""Stop ends a pass within one layer, forward or backward, for every method; nothing is left broken."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from core.cause import CauseRequest, CauseSettings
from core.errors import Stopped
from core.records import GenerationParams
from core.salience import method, request_for
from core.salience.find_cause import find_cause
from core.salience.gradient_rows import GradientRows
from core.salience.leave_one_out import columns_option
from core.segments import segments


class SetAfter(threading.Event):
    """Set from the `after`-th time on that it is asked; counts how often it was."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after, self.asked = after, 0

    def is_set(self) -> bool:
        self.asked += 1
        return self.asked >= self.after


def passes(model, name):
    """Runs the method on a short text, as the service does."""
    tokens = model.tokenize("Nuts: no\nCheese: yes\nSoup:", " good soup")
    parts = segments(tokens, "line", "prompt")
    if name == "find_cause":
        spans = tuple(part.tokens for part in parts)
        ids = tuple(int(i) for i in tokens.ids)
        target = ((tokens.prompt_len, len(tokens)),)
        asked = CauseRequest(model.spec, ids, tokens.prompt_len, target, spans, (), CauseSettings())
        return np.array([one.effect_nats for one in find_cause(model, asked, tokens).removals])
    options = (columns_option([part.tokens for part in parts]),) if name == "leave_one_out" else ()
    request = request_for(model, tokens, name, options=options)
    return method(name).run(model, request, tokens=tokens).values


@pytest.mark.parametrize("name", ["grad_l2", "gim", "integrated_gradients", "leave_one_out", "find_cause"])
def test_every_border_of_a_layer_can_be_the_last(load_tiny, name):
    model = load_tiny("gemma2")
    whole = passes(model, name)
    counted = SetAfter(10**9)
    with model.until(counted):
        np.testing.assert_allclose(passes(model, name), whole, atol=1e-6)
    assert counted.asked > 2
    for after in sorted({1, 2, counted.asked // 2, counted.asked}):
        stop = SetAfter(after)
        with model.until(stop), pytest.raises(Stopped):
            passes(model, name)
        assert stop.asked == after  # not one layer more
    np.testing.assert_allclose(passes(model, name), whole, atol=1e-6)


def test_a_kept_pass_that_was_stopped_on_the_way_back_still_gives_exact_rows(load_tiny):
    model = load_tiny("gemma2")
    tokens = model.tokenize("The soup has", " cheese in it")
    request = request_for(model, tokens, "grad_l2")
    members = (method("grad_l2"),)
    alone = GradientRows(request, members, 0)
    alone.compute(model, [0, 1])
    rows = GradientRows(request, members, 10**9)
    rows.compute(model, [0])
    stop = SetAfter(1)
    with model.until(stop), pytest.raises(Stopped):
        rows.compute(model, [1])
    assert stop.asked == 1 and rows.there == [0]
    rows.compute(model, [1])
    np.testing.assert_allclose(rows.scores["grad_l2"], alone.scores["grad_l2"], rtol=1e-5)


def test_what_is_written_is_kept_when_stopped(load_tiny):
    model = load_tiny("gemma2")
    stop = threading.Event()
    prompt = model.tokenize("The soup")
    texts: list[str] = []

    def on_text(text: str) -> None:
        texts.append(text)
        stop.set()

    with model.until(stop):
        made = model.generate(prompt, GenerationParams(max_new_tokens=20), on_text=on_text, stop=stop)
    assert made.stop_reason == "stopped" and made.text


def test_another_job_within_has_a_stop_of_its_own(load_tiny):
    model = load_tiny("gemma2")
    outer, inner = threading.Event(), threading.Event()
    outer.set()
    with model.until(outer):
        with model.until(inner):
            passes(model, "grad_l2")
        with pytest.raises(Stopped):
            passes(model, "grad_l2")
