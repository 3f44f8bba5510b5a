"""Natural prompts on the Trust page: counts by hand, and for which model they hold."""

import json
from pathlib import Path

from core.faithfulness.natural_results import NaturalResults, measured_name, results_for
from core.models.local.real_models import REAL_MODELS
from core.salience import METHODS
from core.ui.trust_page.natural import lead, panel

ROWS = (
    {
        "model": "demo", "label": "a fact", "verified": 10, "right": 9, "maps_first": {"gim": 8},
        "maps_in_five": {"gim": 10},
    },
    {"model": "demo", "label": "no cause", "verified": 10, "right": 10, "maps_first": {}, "maps_in_five": {}},
)  # fmt: skip


def test_the_search_counts_all_prompts_and_a_map_those_that_have_a_cause() -> None:
    search, gim = panel(ROWS).lines
    assert search.bars[0].text == "95 of 100" and search.note == "19 of 20 prompts"
    assert gim.bars[0].text == "80 of 100" and gim.bars[0].value == 0.8
    assert gim.note == "8 of 10 prompts; among its first five in 100 of 100"
    low, high = gim.bars[0].low, gim.bars[0].high
    assert low is not None and high is not None and low < 0.8 < high
    assert gim.bars[0].series == [m.name for m in METHODS].index("gim") != search.bars[0].series


def test_one_panel_of_several_says_its_prompts_once() -> None:
    made = panel(ROWS, "A fact")
    assert made.note == "20 prompts" and not any(line.note for line in made.lines)


def test_the_sentence_names_the_model_or_says_that_it_was_not_measured() -> None:
    assert lead(NaturalResults(ROWS, True), "demo").startswith("Find the cause is right in 95 of 100")
    assert "mine has not been measured" in lead(NaturalResults(ROWS, False), "mine")


def test_a_real_model_is_known_by_its_folder_its_package_or_what_it_was_converted_from(
    tmp_path: Path,
) -> None:
    path = tmp_path / "causes.json"
    path.write_text(json.dumps({"rows": [{"model": one.name} for one in REAL_MODELS]}))
    for one in REAL_MODELS:
        for where in (f"/x/{one.name}", one.path, f"/data/models/gguf-{one.revision}"):
            assert measured_name(where) == one.name
            assert results_for(where, path) == NaturalResults(({"model": one.name},), True)
    assert not results_for("/x/unseen", path).own
