"""The cells of a table of prompts that one model answers: asked, judged by the checks, kept as they come.

A cell's answer is also kept by content like any other, so what is known already, from whatever page, is not asked
again. The same items and verdicts serve `core.library.table`, which keeps nothing.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from core.checks import Condition, from_json, verdict
from core.checks.measures import rulings
from core.counterfactuals.harmless import changed
from core.errors import AppError
from core.metrics import MetricRow
from core.prompt_table import CellAnswer, TablePlan
from core.prompt_table import from_json as plan_from_json
from core.prompt_table.prompts import asked_as, prompt_of, row_values
from core.records import Example, Generation, GenerationParams, ModelSpec, SendAs, digest
from core.runs.drive import Desk, Item, Result, asked, told_of_turns
from core.runs.generation_tasks import loaded
from core.service.batched import write_batches
from core.store.bundle import prompt_from_json, prompt_to_json
from core.store.keys import generation_key

if TYPE_CHECKING:
    from core.models.language_model import LanguageModel


@dataclass(frozen=True)
class AskTable:
    """Every cell of one answerer of a table (`TablePlan` as JSON text)."""

    table_id: str
    plan_json: str
    answerer: int = 0
    batch: int = 16
    kind: str = "table"
    label: str = "Ask the table"
    needs_model: bool = True
    noun: str = "answers"
    """What the items are, for the line that counts them."""

    @cached_property
    def plan(self) -> TablePlan:
        return plan_from_json(json.loads(self.plan_json))

    @property
    def params(self) -> GenerationParams:
        return self.plan.params

    @property
    def send_as(self) -> SendAs:
        return self.plan.answerers[self.answerer].send_as

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        return from_json(json.loads(self.plan.conditions)) if self.plan.conditions else ()

    def items(self, rows: Sequence[Example], desk: Desk) -> list[Item]:
        found: list[Item] = []
        for row in rows:
            values = row_values(row, self.plan.aliases, self.plan.columns_named)
            for at, column in enumerate(self.plan.columns):
                if column.answerer == self.answerer:
                    made = prompt_of(self.plan.versions[column.version], values)
                    found += self.items_of(row, at, made, desk.spec)
        return found

    def items_of(self, row: Example, column: int, made: str | AppError, spec: ModelSpec) -> list[Item]:
        """The takes of one cell whose prompt is `made`; of one that cannot be asked, the reason."""
        out: list[Item] = []
        for at, take in enumerate(self.plan.takes):
            item: Item = {"id": digest(row.id, column, at)[:40], "row": row.id, "column": column, "take": at}
            text = made if isinstance(made, AppError) else changed(made, take.change)
            if not isinstance(text, str):
                why = str(text or f"Nothing to change here by “{take.change}”.")
                out.append(item | {"prompt": "", "left_out": why, "key": ""})
                continue
            sent = asked_as(row, text).sent(self.send_as)
            key = generation_key(sent, spec, self.plan.drawn(take))
            out.append(
                item
                | {"prompt": prompt_to_json(sent), "asked": text, "targets": list(row.targets), "key": key}
            )
        return out

    def known(self, items: Sequence[Item], desk: Desk) -> set[str]:
        """Cells that stand in the table already, and those whose answer is kept: these are written into it."""
        kept = desk.workspace.tables.filled(self.table_id, [item["row"] for item in items])
        there = {item["id"] for item in items if (item["row"], item["column"], item["take"]) in kept}
        texts = desk.store.texts(item["key"] for item in items if item["key"] and item["id"] not in there)
        fresh = [item for item in items if item["id"] not in there and item["key"] in texts]
        desk.workspace.tables.save(self.table_id, [self.cell(item, texts[item["key"]]) for item in fresh])
        return there | {item["id"] for item in fresh}

    def compute(
        self, items: Sequence[Item], model: LanguageModel | None, stop: threading.Event | None
    ) -> list[Result]:
        held = loaded(model)
        made: dict[int, Generation] = {}
        wanted = [at for at, item in enumerate(items) if "left_out" not in item]
        for seed in sorted({self.plan.takes[items[at]["take"]].seed for at in wanted}):
            places = [at for at in wanted if self.plan.takes[items[at]["take"]].seed == seed]
            params = replace(self.plan.params, seed=seed)
            tokens = [asked(held, items[at]["prompt"], as_text=params.as_text) for at in places]
            for batch in write_batches(lambda: nullcontext(held), tokens, params, self.batch, stop):
                made |= {places[at]: generation for at, generation in batch.items()}
        ties = {} if self.plan.params.temperature else {at: tie_of(held, one) for at, one in made.items()}
        return [
            {"generation": made[at], "tie": ties.get(at)} if at in made else {} for at in range(len(items))
        ]

    def keep(self, results: Mapping[str, Result], items: Mapping[str, Item], desk: Desk) -> dict[str, Any]:
        answered = {name: result["generation"] for name, result in results.items() if "generation" in result}
        desk.store.save_generations(
            (
                items[name]["key"],
                replace(made, model=desk.spec, example_id=items[name]["row"]),
                prompt_from_json(items[name]["prompt"]),
            )
            for name, made in answered.items()
        )
        cells = [
            replace(
                self.cell(items[name], answered[name].text if name in answered else None),
                tie=result.get("tie"),
            )
            for name, result in results.items()
        ]
        desk.workspace.tables.save(self.table_id, cells)
        return {
            name: told_of_turns(answered[name], items[name]["prompt"]) if name in answered else {}
            for name in results
        }

    def cell(self, item: Item, text: str | None) -> CellAnswer:
        """An answer with its verdict; without one, why it was left out."""
        at = (item["row"], item["column"], item["take"])
        if text is None:
            skipped = item.get("left_out")
            return CellAnswer(*at, "", "skipped" if skipped else "failed", skipped or "No answer came.")
        outcome, why = judged(item["row"], item["asked"], text, item["targets"], self.conditions)
        return CellAnswer(*at, text, outcome, why, item["key"])


def tie_of(model: LanguageModel, made: Generation) -> float | None:
    """How near the runner-up came at the closest word of a greedy answer; None where no two words were near.

    Two probabilities that differ by less than `TIE` leave the larger at most one half and half of that: an answer
    whose every word is surer costs nothing more; another one pass, where the model is here.
    """
    from core.models.local.alternatives import LEAST, TIE, alternatives
    from core.models.local.hugging_face import HuggingFaceModel

    sure = bool((np.exp(made.logprob_nats) > 0.5 + TIE / 2).all())
    if sure or not isinstance(model, HuggingFaceModel):
        return None
    places = alternatives(model, made.tokens, 2).probabilities
    near = [one - other for one, other in places if other >= LEAST]
    return min(near, default=None)


def judged(
    row: str, prompt: str, text: str, targets: Sequence[str], conditions: Sequence[Condition]
) -> tuple[str, str]:
    """The verdict of `conditions` on an answer and the reason; unsure without any."""
    if not conditions:
        return "unsure", "Nothing is checked."
    found = verdict(rulings(MetricRow(row, text, tuple(targets), prompt=prompt), conditions))
    return found.outcome, found.why
