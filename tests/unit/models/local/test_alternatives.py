"""The likeliest tokens in each place, against the model's own softmax."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from core.models.local.alternatives import Alternatives, alternatives
from core.models.local.hugging_face import HuggingFaceModel, load
from core.records import ModelSpec


def test_they_are_the_softmax_s_own(model_folder: Callable[..., Path]) -> None:
    model = load(ModelSpec("tiny", str(model_folder("llama"))))
    assert isinstance(model, HuggingFaceModel)
    tokens = model.tokenize("The soup has", " cheese in it")
    found = alternatives(model, tokens, 3)
    with torch.no_grad():
        logits = model.model(torch.tensor(tokens.ids)[None]).logits[0].float()
    first = tokens.prompt_len
    assert len(found.texts) == len(tokens) - first
    for place, (texts, chances) in enumerate(zip(found.texts, found.probabilities)):
        own = logits[first + place - 1].softmax(-1)
        best = own.argsort(descending=True)[:3]
        np.testing.assert_allclose(chances, own[best], rtol=1e-4)
        assert texts == tuple(model.tokenizer.decode([int(i)]) for i in best)


def test_a_tie_is_two_words_next_to_equally_likely() -> None:
    found = Alternatives((("a", "b"), ("c", "d"), ("e", "f")), ((0.172, 0.171), (0.9, 0.05), (0.01, 0.009)))
    assert found.ties == (0,)
