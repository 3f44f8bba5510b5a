"""A stand-in's map: a local model reads another one's prompt and answer with its own tokenizer."""

from __future__ import annotations

import numpy as np
import pytest

from core import aggregate
from core.errors import AppError
from core.records import SalienceRequest
from core.salience import method
from core.segments import segments
from core.service.causes import asked_parts
from core.service.stand_ins import StandInMap, read_as_stand_in
from tests.unit.fake_model import FakeModel

PROMPT = "The soup has cheese.\nA vegan\nwould not like it."
ANSWER = " like no soup"
OWN = ["The soup has cheese.\n", "A vegan\n", "would not like it."]


def test_the_stand_in_reads_the_same_words_and_says_how_likely_it_finds_them(load_tiny) -> None:
    model = load_tiny("llama")
    found = read_as_stand_in(model, PROMPT, ANSWER, [(0, 5)], OWN, "line")
    tokens = model.tokenize(PROMPT, ANSWER)
    assert found.logprob_nats == pytest.approx(float(model.logprobs(tokens).sum()), rel=1e-5)
    parts = asked_parts(segments(tokens, "line", "prompt"))
    rows = [
        (row, row + 1)
        for row in range(tokens.prompt_len, len(tokens))
        if int(tokens.char_spans[row, 0]) - tokens.prompt_chars < 5
    ]
    gim = method("gim")
    asked = SalienceRequest(
        model.spec, tuple(int(i) for i in tokens.ids), tokens.prompt_len, "gim", tuple(rows)
    )
    whole = gim.run(model, asked, tokens=tokens).values.sum(0)
    np.testing.assert_allclose(
        found.shares, aggregate.shares(aggregate.column_scores(whole, parts)), rtol=1e-4, atol=1e-6
    )
    assert sorted(found.order) == [0, 1, 2] and found.order[0] == int(np.argmax(found.shares))
    assert f"{model.spec.name} finds this answer" in found.sentence and "a token" in found.sentence


def test_what_cannot_stand_in_says_so(load_tiny) -> None:
    model = load_tiny("llama")
    with pytest.raises(AppError, match="other parts"):
        read_as_stand_in(model, PROMPT, ANSWER, [(0, 5)], ["The soup has cheese.\n"], "line")
    with pytest.raises(AppError, match="No words"):
        read_as_stand_in(model, PROMPT, ANSWER, [], OWN, "line")
    plain = FakeModel()
    plain.capabilities = type(plain.capabilities)(gradients=False, salience=False)
    with pytest.raises(AppError, match="cannot be mapped either"):
        read_as_stand_in(plain, PROMPT, ANSWER, [(0, 5)], OWN, "line")


def test_how_well_it_stands_in_is_told() -> None:
    def of(nats: float, tokens: int) -> str:
        spec = FakeModel().spec
        return StandInMap(spec, "GIM", np.zeros(1, np.float32), (0,), nats, tokens).sentence

    assert "poorly" in of(-30.0, 3) and "less than one in a billion" in of(-30.0, 3)
    assert "might have written it" in of(-0.2, 4)
    assert "neither well nor poorly" in of(-4.0, 4)
