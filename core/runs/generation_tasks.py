"""Answers of a model to prompts, and its scores of the targets: what the dataset table and metrics are made
from.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from core.records import Example, Generation, GenerationParams, SendAs
from core.runs.drive import Desk, Item, Result, asked, told_of_turns
from core.service.batched import write_batches
from core.store.bundle import prompt_from_json, prompt_to_json
from core.store.keys import generation_key

if TYPE_CHECKING:
    from core.models.language_model import LanguageModel


def loaded(model: LanguageModel | None) -> LanguageModel:
    assert model is not None, "this task declares that it needs a model"
    return model


def scored(model: LanguageModel, prompt: Any, response: str) -> Generation:
    """A typed response as a `Generation`: its own tokens, and how likely the model finds each (nats)."""
    tokens = asked(model, prompt, response)
    nats = model.logprobs(tokens)
    return Generation("", model.spec, GenerationParams(), tokens, response, nats, "eos", 0.0)


def keep_generations(results: Mapping[str, Result], items: Mapping[str, Item], desk: Desk) -> dict[str, Any]:
    """Stores the `generation` of each result under the item's `key`, beside the prompt as it was sent."""
    found = {
        name: replace(result["generation"], model=desk.spec, example_id=name)
        for name, result in results.items()
    }
    desk.store.save_generations(
        (items[name]["key"], made, prompt_from_json(items[name]["prompt"])) for name, made in found.items()
    )
    return {
        name: {"key": items[name]["key"]} | told_of_turns(made, items[name]["prompt"])
        for name, made in found.items()
    }


def target_key(row: Example, desk: Desk, send_as: SendAs) -> str:
    """Where the score of a row's target is kept."""
    return generation_key(row.sent(send_as), desk.spec, GenerationParams(), row.target)


def _known(items: Sequence[Item], desk: Desk) -> set[str]:
    keys = desk.store.known_generations(item["key"] for item in items)
    return {item["id"] for item in items if item["key"] in keys}


@dataclass(frozen=True)
class Generate:
    """The model's answer to every row of a dataset; other prompts: `Answers.answer_prompts`."""

    params: GenerationParams = field(default_factory=GenerationParams)
    send_as: SendAs = "plain"
    batch: int = 16
    kind: str = "generate"
    label: str = "Run the model"
    needs_model: bool = True

    def items(self, rows: Sequence[Example], desk: Desk) -> list[Item]:
        return [
            {
                "id": row.id,
                "prompt": prompt_to_json(row.sent(self.send_as)),
                "key": generation_key(row.sent(self.send_as), desk.spec, self.params),
            }
            for row in rows
        ]

    def known(self, items: Sequence[Item], desk: Desk) -> set[str]:
        return _known(items, desk)

    def compute(
        self, items: Sequence[Item], model: LanguageModel | None, stop: threading.Event | None
    ) -> list[Result]:
        model = loaded(model)
        tokens = [asked(model, item["prompt"], as_text=self.params.as_text) for item in items]
        made: dict[int, Generation] = {}
        for batch in write_batches(lambda: nullcontext(model), tokens, self.params, self.batch, stop):
            made |= batch
        return [{"generation": made[index]} for index in range(len(items))]

    def keep(self, results: Mapping[str, Result], items: Mapping[str, Item], desk: Desk) -> dict[str, Any]:
        return keep_generations(results, items, desk)


@dataclass(frozen=True)
class ScoreTargets:
    """How likely the model finds every target, token by token."""

    send_as: SendAs = "plain"
    batch: int = 8
    kind: str = "score targets"
    label: str = "Score the targets"
    needs_model: bool = True

    def items(self, rows: Sequence[Example], desk: Desk) -> list[Item]:
        return [
            {
                "id": r.id,
                "prompt": prompt_to_json(r.sent(self.send_as)),
                "target": r.target,
                "key": target_key(r, desk, self.send_as),
            }
            for r in rows
            if (r.target or "").strip()
        ]

    def known(self, items: Sequence[Item], desk: Desk) -> set[str]:
        return _known(items, desk)

    def compute(
        self, items: Sequence[Item], model: LanguageModel | None, stop: threading.Event | None
    ) -> list[Result]:
        found = [scored(loaded(model), item["prompt"], item["target"]) for item in items]
        return [{"generation": one} for one in found]

    def keep(self, results: Mapping[str, Result], items: Mapping[str, Item], desk: Desk) -> dict[str, Any]:
        return keep_generations(results, items, desk)
