"""How far to trust a map or a search, in one sentence, from what was measured on prompts whose cause was planted.

Reads `data/natural_causes.json`, which `benchmarks.natural_causes` writes. Knows no model; figures of a model are
found by the name of its folder, those of all measured models stand in for a model that was not measured.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.models.local.real_models import REAL_MODELS
from core.settings import ROOT

PATH = ROOT / "data" / "natural_causes.json"
MAPS = {"gim": "gim", "grad_l2": "grad_l2", "grad_dot_input": "grad_dot_input by size"}
"""Method -> how its figures are called."""


@lru_cache(maxsize=4)
def _rows(path: Path) -> tuple[dict[str, Any], ...]:
    try:
        return tuple(json.loads(path.read_text(encoding="utf-8"))["rows"])
    except (OSError, ValueError, KeyError, TypeError):
        return ()


@dataclass(frozen=True, slots=True)
class NaturalResults:
    """Rows of the benchmark, one a model and kind of prompt; `own` where the model itself was measured."""

    rows: tuple[dict[str, Any], ...]
    own: bool


def measured_name(model_path: str) -> str:
    """What the figures of the model in `model_path` are called: its folder, or the real model it was converted from."""
    name = Path(model_path).name.casefold()
    called = {f"gguf-{one.revision}".casefold(): one.name for one in REAL_MODELS}
    return called.get(name, name.removeprefix("package:"))


def results_for(model_path: str, path: Path = PATH) -> NaturalResults:
    """What was measured of this model, else of all that were measured."""
    rows, name = _rows(path), measured_name(model_path)
    own = tuple(row for row in rows if row["model"].casefold() == name)
    return NaturalResults(own or rows, bool(own))


def trust_sentence(method: str, model_path: str, path: Path = PATH) -> str:
    """What was measured of `method` (its name, or "find_cause") with the model in `model_path`; "" for nothing."""
    found = results_for(model_path, path)
    used, where = found.rows, "with this model" if found.own else "with other models"
    if method == "find_cause":
        count, right = sum(row["verified"] for row in used), sum(row["right"] for row in used)
        if not count:
            return ""
        return f"Find the cause was right in {right:,} of {count:,} prompts whose cause is known, {where}."
    key = MAPS.get(method)
    mapped = [row for row in used if key in row["maps_first"]]
    count = sum(row["verified"] for row in mapped)
    if not count:
        return ""
    first = sum(row["maps_first"][key] for row in mapped)
    return f"This map put the cause first in {first:,} of {count:,} prompts whose cause is known, {where}."
