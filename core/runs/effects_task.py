"""What counterfactuals do to a model's answer: its probability after each of them, and the new answer."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.compare import word_diff
from core.counterfactuals import Effect
from core.counterfactuals.effect import answers_diff, value_of
from core.errors import Stopped
from core.metrics import Metric
from core.records import Example, GenerationParams, Message, SendAs
from core.runs.drive import Desk, Item, Result, asked
from core.runs.generation_tasks import keep_generations, loaded
from core.store.bundle import prompt_from_json, prompt_to_json
from core.store.keys import generation_key, prompt_key

if TYPE_CHECKING:
    from core.models.language_model import LanguageModel


@dataclass(frozen=True)
class MeasureEffects:
    """Log-probability (nats) of the original answer before and after, and the answer to the changed prompt.

    `originals` holds (example's id, prompt as it is sent, the model's answer) of every parent; rows without
    one are left out.
    """

    originals: tuple[tuple[str, str | tuple[Message, ...], str], ...]
    params: GenerationParams = field(default_factory=GenerationParams)
    send_as: SendAs = "plain"
    batch: int = 4
    kind: str = "effects"
    label: str = "Measure the effects"
    needs_model: bool = True

    def items(self, rows: Sequence[Example], desk: Desk) -> list[Item]:
        parents = {name: (prompt, answer) for name, prompt, answer in self.originals}
        return [
            {
                "id": row.id,
                "prompt": prompt_to_json(row.sent(self.send_as)),
                "original": prompt_to_json(parents[row.parent_id][0]),
                "response": parents[row.parent_id][1],
                "key": generation_key(row.sent(self.send_as), desk.spec, self.params),
            }
            for row in rows
            if row.parent_id in parents
        ]

    def known(self, items: Sequence[Item], desk: Desk) -> set[str]:
        return set()

    def compute(
        self, items: Sequence[Item], model: LanguageModel | None, stop: threading.Event | None
    ) -> list[Result]:
        model = loaded(model)
        before: dict[tuple[str, str], float | None] = {}
        found: list[Result] = []
        for item in items:
            pair = (prompt_key(prompt_from_json(item["original"])), item["response"])
            if pair not in before:
                before[pair] = nats_of(model, item["original"], item["response"])
            after = nats_of(model, item["prompt"], item["response"])
            made = model.generate(
                asked(model, item["prompt"], as_text=self.params.as_text), self.params, stop=stop
            )
            if stop is not None and stop.is_set():
                raise Stopped()
            found.append({"before": before[pair], "after": after, "generation": made})
        return found

    def keep(self, results: Mapping[str, Result], items: Mapping[str, Item], desk: Desk) -> dict[str, Any]:
        kept = keep_generations(results, items, desk)
        return {
            name: kept[name] | {"before": r["before"], "after": r["after"], "response": r["generation"].text}
            for name, r in results.items()
        }


def nats_of(model: LanguageModel, prompt: Any, response: str) -> float | None:
    """log p(response after prompt), summed over its tokens; None without a response or log-probabilities."""
    if not response or not model.capabilities.logprobs:
        return None
    return float(model.logprobs(asked(model, prompt, response)).sum(dtype="float64"))


def to_effects(
    changed: Sequence[Example],
    originals: Mapping[str, tuple[Example, str]],
    results: Mapping[str, Any],
    metric: Metric | None = None,
) -> tuple[Effect, ...]:
    """The remembered results as `Effect`s; `originals` by id: the parent and its answer."""
    found = []
    for example in changed:
        if example.id not in results or (example.parent_id or "") not in originals:
            continue
        parent, answer = originals[example.parent_id or ""]
        kept = results[example.id]
        found.append(
            Effect(
                example=example,
                prompt_diff=word_diff(parent.prompt, example.prompt),
                logprob_before_nats=kept["before"],
                logprob_after_nats=kept["after"],
                response_before=answer,
                response_after=kept["response"],
                response_diff=answers_diff(answer, kept["response"]),
                metric_before=value_of(metric, answer, parent.targets) if metric else None,
                metric_after=value_of(metric, kept["response"], example.targets) if metric else None,
            )
        )
    return tuple(found)
