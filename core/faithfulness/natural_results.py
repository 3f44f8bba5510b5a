"""How far to trust a map or a search, in one sentence, from what was measured on prompts whose cause was planted.

Reads `data/natural_causes.json`, which `benchmarks.natural_causes` writes. Knows no model; figures of a model are
found by the name of its folder, those of all measured models stand in for a model that was not measured.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

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


def trust_sentence(method: str, model_path: str, path: Path = PATH) -> str:
    """What was measured of `method` (its name, or "find_cause") with the model in `model_path`; "" for nothing."""
    rows = _rows(path)
    name = Path(model_path).name.casefold()
    own = [row for row in rows if row["model"].casefold() == name]
    where = "with this model" if own else "with other models"
    used = own or list(rows)
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
