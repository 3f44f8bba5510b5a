"""Which library multiplies float32 matrices on this processor, and how the attention of short texts is written.

torch's default library leaves half of some processors' float32 speed unused, where oneDNN does not. oneDNN is
asked for through a switch that also lets it round to bf16 on processors with matrix units made for that, so both
are tried once, in a moment: it is used where it keeps float32's digits and is clearly faster.
Knows processors and products, no model.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import torch

from core.models.local.sizes import attention_written_out

MOST_ERROR = 4.0
"""Times the default library's own rounding error that another may make; rounding to bf16 makes some 5,000."""
CLEARLY_FASTER = 0.8


@lru_cache(maxsize=1)
def use_faster_products() -> bool:
    """Switch float32 products on the processor to oneDNN where it is exact and faster; whether it was."""
    mkldnn: Any = torch.backends.mkldnn
    return mkldnn.is_available() and choose(mkldnn.matmul, _measured)


def choose(switch: Any, measured: Callable[[], tuple[float, float]]) -> bool:
    """Set `switch.fp32_precision` to what `measured` (seconds, largest error) shows to be better; True: changed."""
    before = switch.fp32_precision
    seconds, error = measured()
    switch.fp32_precision = "bf16"
    other_seconds, other_error = measured()
    if other_error <= MOST_ERROR * error and other_seconds <= CLEARLY_FASTER * seconds:
        return True
    switch.fp32_precision = before
    return False


def _measured() -> tuple[float, float]:
    """Seconds (best of 3) of a layer's product, and its largest error against float64, relative to the largest."""
    draw = torch.Generator().manual_seed(0)
    left, right = (torch.randn(256, width, generator=draw) for width in (512, 512))
    exact = left.double() @ right.double().T
    error = float((torch.nn.functional.linear(left, right) - exact).abs().max() / exact.abs().max())
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        torch.nn.functional.linear(left, right)
        taken.append(time.perf_counter() - start)
    return min(taken), error


@contextmanager
def short_attention(net: Any, tokens: int) -> Iterator[None]:
    """While it is open, `net` on a processor writes out the attention of a text of `tokens` where that is small.

    The backward pass of the fused kernel takes a third of a row there; written out it is products, and as exact.
    """
    config = net.config.get_text_config()
    short = attention_written_out(config.num_attention_heads, config.num_hidden_layers, tokens)
    plain = net.config._attn_implementation
    if plain != "sdpa" or net.device.type != "cpu" or not short:
        yield
        return
    net.config._attn_implementation = "eager"
    try:
        yield
    finally:
        net.config._attn_implementation = plain
