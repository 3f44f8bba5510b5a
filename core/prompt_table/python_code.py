"""A table as Python that asks it again with this library (`core.library.table`). Every text is a literal."""

from __future__ import annotations

import json
from pprint import pformat

from core.prompt_table.plan import TablePlan

ROWS_FILE = "rows.jsonl"


def code_of(plan: TablePlan, dataset_name: str) -> str:
    """A script that asks `plan` of the rows in `ROWS_FILE`, a run for each model; no path of this machine is in it."""
    params = plan.params
    kept = [take for take in plan.takes if not take.change]
    lines = [
        '"""Asks a table of prompts again, exported from Whence. Its rows stand in rows.jsonl beside this file."""',
        "",
        "from whence.checks import from_json",
        "from whence.library.table import run_table",
        "",
        f"# The dataset: {json.dumps(dataset_name)}",
        f"VERSIONS = {pformat({one.name: one.template for one in plan.versions}, sort_dicts=False, width=100)}",
        f"CHECKS = from_json({pformat(json.loads(plan.conditions or '[]'), width=100)})",
        "# The name of a model is what open_model takes: demo, a folder, a .gguf file, an address.",
        f"MODELS = {pformat([who.spec.name for who in plan.answerers])}",
        "",
        "for model in MODELS:",
        "    table = run_table(",
        f"        {ROWS_FILE!r}, VERSIONS, CHECKS, model=model, samples={len(kept)},",
        f"        max_new_tokens={params.max_new_tokens}, temperature={params.temperature!r}, top_p={params.top_p!r},",
        f"        seed={params.seed}, stop={params.stop!r}{', as_text=True' if params.as_text else ''},",
        "    )",
        "    for one in table.standings:",
        "        p = one.against and one.against.p",
        "        print(model, one.label, one.value.value, one.better, one.worse, one.same, p)",
        "",
    ]
    return "\n".join(lines)
