"""Estimates against what loading and explaining really take, and the refusal in figures."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.errors import AppError
from core.models import load
from core.models.local import estimate as module
from core.models.local.estimate import estimate, facts, facts_from_config, salience_bytes, weight_bytes
from core.records import ModelSpec

WIDE = {"hidden_size": 128, "intermediate_size": 512, "num_hidden_layers": 6}


@pytest.mark.parametrize(
    ("dtype", "quantization"),
    [("float32", "none"), ("bfloat16", "none"), ("bfloat16", "int8"), ("float32", "nf4")],
)
def test_weights_are_estimated_within_a_tenth(model_folder, dtype, quantization):
    spec = ModelSpec("x", str(model_folder("llama", **WIDE)), dtype=dtype, quantization=quantization)
    sizes = facts(spec)
    model = load(spec)
    assert sizes.parameters == model.parameters
    # Scales of nf4 are counted by transformers as bytes of the parameters they belong to, or not at all.
    assert weight_bytes(sizes, spec) == pytest.approx(model.bytes, rel=0.1)


@pytest.mark.parametrize("family", ["llama", "gemma2", "gpt2"])
def test_what_the_layers_keep_is_not_underestimated(load_tiny, family):
    """The tensors that autograd saves in the forward pass, weights left out, against the trunk's estimate."""
    model = load_tiny(family)
    weights = {p.untyped_storage().data_ptr() for p in model.model.parameters()}
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        held.append(tensor)  # so that no address is used twice
        return tensor

    held: list[torch.Tensor] = []
    ids = np.arange(5, 205)
    with (
        torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor),
        model.tape(ids, np.array([199])),
    ):
        pass
    sizes = facts(ModelSpec("x", model.spec.path))
    expected = salience_bytes(sizes, "float32", 200, 1)
    assert sum(kept.values()) <= expected <= 4 * sum(kept.values())


def test_smaller_plans_are_estimated_smaller():
    sizes = facts_from_config(
        {"hidden_size": 512, "num_hidden_layers": 8, "intermediate_size": 1376, "vocab_size": 32000}
    )
    whole = salience_bytes(sizes, "float32", 360, 60)
    fewer = salience_bytes(sizes, "float32", 360, 60, rows_a_pass=8)
    least = salience_bytes(sizes, "float32", 360, 60, rows_a_pass=8, checkpoint=True)
    assert whole > fewer > least


def test_what_cannot_fit_is_refused_in_figures(model_folder, monkeypatch):
    monkeypatch.setattr(module, "free_bytes", lambda device: 100_000)
    spec = ModelSpec("Big", str(model_folder("llama")))
    with pytest.raises(
        AppError, match=r"Big in float32 does not fit: it needs about 0.2 MB and 0.1 MB are free on cpu"
    ) as e:
        load(spec)
    assert e.value.code == "memory" and "int8 or nf4" in e.value.hint


def test_sentences():
    made = estimate(ModelSpec("Gemma", "google/gemma-2-2b-it", dtype="bfloat16"))
    assert made is not None and made.sentence.startswith(
        "Gemma in bfloat16 needs about 5.2 GB for its weights and "
    )
    assert estimate(ModelSpec("unknown", "someone/something")) is None
