"""Faster float32 products only where they keep their digits; attention written out only where it is small."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from core.models.local.products import choose, short_attention, use_faster_products


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ((0.4, 2e-7), "bf16"),  # faster, as exact
        ((0.4, 4e-3), "none"),  # faster because it rounds to bf16
        ((0.9, 1e-7), "none"),  # no gain
    ],
)
def test_the_other_library_is_used_where_it_is_exact_and_faster(other, expected):
    switch = SimpleNamespace(fp32_precision="none")
    changed = choose(switch, lambda: (1.0, 1e-7) if switch.fp32_precision == "none" else other)
    assert (switch.fp32_precision, changed) == (expected, expected == "bf16")


def test_products_keep_float32_digits_whatever_was_chosen():
    use_faster_products()
    left, right = torch.randn(200, 300), torch.randn(100, 300)
    exact = left.double() @ right.double().T
    found = torch.nn.functional.linear(left, right)
    assert float((found - exact).abs().max() / exact.abs().max()) < 1e-5


def net(implementation: str = "sdpa", device: str = "cpu"):
    sizes = SimpleNamespace(num_attention_heads=9, num_hidden_layers=30)
    config = SimpleNamespace(_attn_implementation=implementation, get_text_config=lambda: sizes)
    return SimpleNamespace(config=config, device=torch.device(device))


def test_short_texts_are_written_out_and_everything_is_put_back():
    model = net()
    with short_attention(model, 300):
        assert model.config._attn_implementation == "eager"
    assert model.config._attn_implementation == "sdpa"
    with pytest.raises(ZeroDivisionError), short_attention(model, 300):
        raise ZeroDivisionError
    assert model.config._attn_implementation == "sdpa"


def test_long_texts_gpus_and_other_kernels_stay_as_they_are():
    for model, tokens in ((net(), 400), (net("whence_gim"), 10), (net(device="meta"), 10)):
        before = model.config._attn_implementation
        with short_attention(model, tokens):
            assert model.config._attn_implementation == before
