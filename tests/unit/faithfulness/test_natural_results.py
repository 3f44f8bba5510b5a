"""The sentence about trust: this model's own figures, others' where it was not measured, nothing where nothing was."""

import json
from pathlib import Path

from core.faithfulness.natural_results import PATH, trust_sentence


def test_own_figures_else_those_of_others(tmp_path: Path) -> None:
    rows = [
        {"model": "demo", "verified": 10, "right": 9, "maps_first": {"gim": 8, "grad_l2": 5}},
        {"model": "demo", "verified": 4, "right": 4, "maps_first": {}},
        {"model": "other", "verified": 6, "right": 6, "maps_first": {"gim": 6}},
    ]
    path = tmp_path / "causes.json"
    path.write_text(json.dumps({"rows": rows}))
    assert "8 of 10 prompts whose cause is known, with this model" in trust_sentence(
        "gim", "data/models/demo", path
    )
    assert "13 of 14" in trust_sentence("find_cause", "/x/Demo", path)
    assert "14 of 16 prompts whose cause is known, with other models" in trust_sentence("gim", "unseen", path)
    assert trust_sentence("integrated_gradients", "demo", path) == ""
    assert trust_sentence("gim", "demo", tmp_path / "none.json") == ""


def test_what_ships_can_be_read() -> None:
    assert PATH.exists() and "with this model" in trust_sentence("gim", "data/models/demo")
