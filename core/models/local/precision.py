"""Which precision a model gets when nobody chose one, by truth first and speed second.

A GPU: nf4 with bf16 arithmetic, so that the largest models fit. A processor: float32 wherever it fits the memory
and costs at most twice what bf16 does, because bf16 keeps 8 bits: it turns answers that hang on a near tie, and
puts several percent of error into a map. What the two cost is measured once on this machine and kept in the
person's folder. Knows sizes and devices, no model.
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
from core.models.local.estimate import estimate, facts
from core.records import ModelSpec, Quantization
from core.settings import settings

SMALL_PARAMETERS = 100_000_000
MOST_COST = 2.0
"""Times what bf16 costs that float32 may cost and still be chosen."""
RULE = 2
"""Of how the seconds were measured; those of another rule are measured again."""


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
    whole = estimate(ModelSpec(path, path, dtype="float32", device="cpu"))
    seconds = speeds()
    if whole is not None and whole.fits and seconds["float32"] <= MOST_COST * seconds["bfloat16"]:
        return PrecisionChoice("float32", "none", "cpu")
    return PrecisionChoice(min(seconds, key=lambda name: seconds[name]), "none", "cpu")


def what_the_other_costs(spec: ModelSpec) -> str:
    """A sentence on float32 against bf16 for a model on a processor; "" where there is nothing to say."""
    if spec.device != "cpu" or spec.quantization != "none" or spec.dtype not in ("float32", "bfloat16"):
        return ""
    sizes = facts(spec)
    if sizes is None or sizes.parameters < SMALL_PARAMETERS:
        return ""
    seconds = speeds()
    times = seconds["float32"] / seconds["bfloat16"]
    speed = f"{times:.1f} times as fast" if times >= 1 else f"{1 / times:.1f} times slower"
    if spec.dtype == "float32":
        return f"float32: exact. bf16 would be {speed} here and half the memory, but rounds to 8 bits."
    return (
        f"bf16: rounded to 8 bits, {speed} than float32 here; near ties may fall the other way."
        if (times >= 1)
        else f"bf16: rounded to 8 bits and {speed} than float32 here; it saves half the memory."
    )


def speeds(measure: Callable[[str], float] | None = None, kept: Path | None = None) -> dict[str, float]:
    """Seconds of a layer's work on this processor in "float32" and "bfloat16"; `kept` remembers them."""
    kept = kept or settings().data_dir / "cpu-precision.json"
    machine = f"{platform.node()} {platform.processor() or platform.machine()}"
    try:
        known = json.loads(kept.read_text(encoding="utf-8"))
        found = {dtype: float(known["seconds"][dtype]) for dtype in ("float32", "bfloat16")}
        if known["machine"] == machine and known["rule"] == RULE and min(found.values()) > 0:
            return found
    except (OSError, ValueError, KeyError, TypeError):
        pass
    seconds = {dtype: (measure or product_seconds)(dtype) for dtype in ("float32", "bfloat16")}
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps({"machine": machine, "rule": RULE, "seconds": seconds}), encoding="utf-8")
    except OSError:
        pass  # it is measured again next time
    return seconds


def product_seconds(dtype: str) -> float:
    """Seconds of a layer's work in `dtype`: a product over 256 tokens and eight over one, best of 3."""
    import torch

    from core.models.local.products import use_faster_products

    use_faster_products()
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
