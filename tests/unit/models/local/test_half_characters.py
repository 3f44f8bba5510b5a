"""An answer that the length limit cuts within a character: shown, kept, cut into parts and sent over the wire alike."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from core.models.char_spans import BYTE_OF_CHAR
from core.models.local.decoding import Drawn
from core.records import Generation, GenerationParams
from core.segments import segments
from core.server.wire import token_strings
from core.store.bundle import generation_from_json, generation_to_json

PROMPT = "The soup has"
CHAR_OF_BYTE = {byte: char for char, byte in BYTE_OF_CHAR.items()}


def answered(model: Any, data: bytes, *, reason: str = "length", **params: Any) -> Generation:
    """The record of an answer whose tokens are the single bytes of `data`."""
    ids = [model.tokenizer.convert_tokens_to_ids(CHAR_OF_BYTE[byte]) for byte in data]
    assert None not in ids and model.tokenizer.unk_token_id not in ids
    drawn = Drawn(ids, [-0.5] * len(ids), reason)  # type: ignore[arg-type]
    return model._generation(model.tokenize(PROMPT), GenerationParams(**params), drawn, 0.1, "x")


@pytest.mark.parametrize("cut", range(1, 10))
@pytest.mark.parametrize("text", ["a한국🙂", "🙂é한"])
def test_what_is_shown_kept_explained_and_sent_agrees(load_tiny: Any, text: str, cut: int) -> None:
    model, data = load_tiny("llama"), text.encode()[:cut]
    made = answered(model, data)
    assert made.text == made.tokens.response == data.decode("utf-8", "replace")
    assert made.tokens.text[: made.tokens.prompt_chars] == PROMPT
    assert len(made.logprob_nats) == len(data) and np.isfinite(made.logprob_nats).all()
    spans = made.tokens.char_spans[made.tokens.prompt_len :] - len(PROMPT)
    assert spans[0, 0] == 0 and spans[-1, 1] == len(made.text) and (spans[1:, 0] <= spans[:-1, 1]).all()
    kept = generation_from_json(json.loads(json.dumps(generation_to_json(made))))
    assert kept.text == made.text and kept.tokens.ids.tolist() == made.tokens.ids.tolist()
    for by in ("token", "word", "line"):
        assert "".join(part.text for part in segments(kept.tokens, by, "response")) == made.text
    strings = token_strings(kept.tokens)
    assert "".join(strings).replace("\u2581", " ") == kept.tokens.text
    np.testing.assert_allclose(model.logprobs(kept.tokens), model.logprobs(made.tokens))


def test_halves_before_a_stop_text_stay_and_behind_it_go(load_tiny: Any) -> None:
    made = answered(load_tiny("llama"), "a한".encode()[:3] + b"\nb", reason="stop", stop=("\n",))
    assert made.text == "a\ufffd" == made.tokens.response and len(made.logprob_nats) == 3


def test_a_generated_answer_streams_what_it_keeps(load_tiny: Any) -> None:
    model = load_tiny("llama")
    for size in range(1, 12):
        heard: list[str] = []
        made = model.generate(
            model.tokenize("한국🙂"), GenerationParams(max_new_tokens=size), on_text=heard.append
        )
        assert not made.text or heard[-1] == made.text == made.tokens.response
        (batch,) = model.generate_batch([model.tokenize("한국🙂")], GenerationParams(max_new_tokens=size))
        assert batch.text == made.text
