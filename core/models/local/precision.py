"""Which precision a model gets when nobody chose one.

A GPU: nf4 with bf16 arithmetic, so that the largest models fit. A processor: float32 for small models, where
time is nothing and digits are free; for large ones float32 or bf16, whichever this machine multiplies faster,
measured once and kept in the person's folder. Knows sizes and devices, no model.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from core.models.local import devices
from core.models.local.estimate import facts
from core.records import ModelSpec, Quantization
from core.settings import settings

SMALL_PARAMETERS = 100_000_000


class PrecisionChoice(NamedTuple):
    """What `ModelSpec` asks for."""

    dtype: str
    quantization: Quantization
    device: str


@lru_cache(maxsize=64)
def automatic(path: str) -> PrecisionChoice:
    """The choice for the model at `path` (a folder or a name on the hub) on this machine."""
    best = devices.available()[0].name
    if best != "cpu":
        return PrecisionChoice("bfloat16", "nf4", best)
    sizes = facts(ModelSpec(path, path))
    if sizes is None or sizes.parameters < SMALL_PARAMETERS:
        return PrecisionChoice("float32", "none", "cpu")
    return PrecisionChoice(faster_dtype(), "none", "cpu")


def faster_dtype(measure: Callable[[str], float] | None = None, kept: Path | None = None) -> str:
    """ "float32" or "bfloat16" for this processor; `kept` is the file that remembers what was measured."""
    kept = kept or settings().data_dir / "cpu-precision.json"
    machine = f"{platform.node()} {platform.processor() or platform.machine()}"
    try:
        known = json.loads(kept.read_text(encoding="utf-8"))
        if known["machine"] == machine and known["dtype"] in ("float32", "bfloat16"):
            return known["dtype"]
    except (OSError, ValueError, KeyError, TypeError):
        pass
    seconds = {dtype: (measure or product_seconds)(dtype) for dtype in ("float32", "bfloat16")}
    dtype = min(seconds, key=lambda name: seconds[name])
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(
            json.dumps({"machine": machine, "dtype": dtype, "seconds": seconds}), encoding="utf-8"
        )
    except OSError:
        pass  # it is measured again next time
    return dtype


def product_seconds(dtype: str) -> float:
    """Seconds of a layer's work in `dtype`: a product over 256 tokens and eight over one, best of 3."""
    import torch

    weight = torch.ones(1024, 1024, dtype=getattr(torch, dtype))
    many, one = (torch.ones(rows, 1024, dtype=weight.dtype) for rows in (256, 1))
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        torch.nn.functional.linear(many, weight)
        for _ in range(8):
            torch.nn.functional.linear(one, weight)
        taken.append(time.perf_counter() - start)
    return min(taken)
