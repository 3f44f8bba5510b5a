"""How weights are read: threads, quantisation settings, and what is said when it fails."""

from __future__ import annotations

import pytest
import torch

from core.errors import AppError
from core.models.local import weights
from core.records import ModelSpec
from core.settings import Settings


@pytest.mark.parametrize(
    ("operator", "parameters", "expected"),
    [(0, 3_600_000, 1), (0, 10**9, weights.THREADS), (3, 3_600_000, 3)],
)
def test_small_models_take_one_thread_unless_the_operator_says_more(
    monkeypatch, operator, parameters, expected
):
    seen: list[int] = []
    monkeypatch.setattr(weights.torch, "set_num_threads", seen.append)
    monkeypatch.setattr(weights, "settings", lambda: Settings(_env_file=None, threads=operator))
    weights.use_threads(parameters)
    assert seen == [expected]


def test_nf4_quantises_twice_and_computes_as_asked():
    made = weights.quantization(ModelSpec("x", "x", dtype="bfloat16", quantization="nf4"))
    assert made.bnb_4bit_quant_type == "nf4" and made.bnb_4bit_use_double_quant
    assert made.bnb_4bit_compute_dtype is torch.bfloat16
    assert weights.quantization(ModelSpec("x", "x", quantization="int8")).load_in_8bit


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("CUDA out of memory. Tried to allocate")])
def test_too_little_memory_is_named(error):
    said = weights.unloadable(ModelSpec("Big", "x"), error)
    assert said.code == "memory" and "not enough memory to load Big in float32" in str(said)


def test_an_unknown_precision_lists_the_known():
    with pytest.raises(AppError, match=r"no precision called 'tiny'.*float32, bfloat16, float16"):
        weights.check(ModelSpec("x", "x", dtype="tiny"))


def test_four_bit_weights_stay_where_gradients_pass(load_tiny):
    """An answer first, then a map: on processors that repack weights the order used to matter."""
    model = load_tiny("llama", quantization="nf4")
    assert not any(getattr(m, "support_avx512bf16_for_cpu", False) for m in model.model.modules())
