"""One batch of a run: computed on a model that is held for it alone, and one bad row costs only itself.

Also how items and results travel to another process. Knows no store and no list of work.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from core.errors import AppError, Stopped
from core.jobs import JobContext
from core.records import Generation
from core.runs.drive import Batches, Compute, DatasetTask, Item, Result
from core.store.bundle import generation_from_json, generation_to_json

if TYPE_CHECKING:
    from core.models.language_model import LanguageModel

Hold = Callable[[JobContext], AbstractContextManager[tuple["LanguageModel | None", threading.Event]]]
"""The model for one batch (None for tasks without), and the event that stops it."""


def in_batches(hold: Hold) -> Compute:
    """Computes a run's items here, those of like length together; others have turns between two batches."""

    def compute(task: DatasetTask, items: list[Item], context: JobContext) -> Batches:
        if task.needs_model:
            context.progress(None, "Getting the model ready")
        items = sorted(items, key=lambda item: len(str(item.get("prompt", ""))))
        for start in range(0, len(items), task.batch):
            context.check()
            with hold(context) as (model, stop):
                found = computed(task, items[start : start + task.batch], model, stop)
            yield found

    return compute


def computed(
    task: DatasetTask, items: Sequence[Item], model: LanguageModel | None, stop: threading.Event | None
) -> dict[str, Result]:
    """`task.compute` by the items' ids; a batch that fails is done again row by row."""
    try:
        return {item["id"]: result for item, result in zip(items, task.compute(items, model, stop))}
    except Stopped:
        raise
    except AppError as error:
        if len(items) == 1:
            return {items[0]["id"]: {"error": str(error)}}
    found: dict[str, Result] = {}
    for item in items:
        found |= computed(task, [item], model, stop)
    return found


def to_wire(values: Item | Result) -> str:
    """`values` as JSON text, the answer among them too."""
    return json.dumps(values, default=_plain)


def from_wire(text: str) -> dict[str, Any]:
    """The values of `to_wire`."""
    values: dict[str, Any] = json.loads(text)
    if values.get("generation") is not None:
        values["generation"] = generation_from_json(values["generation"])
    return values


def _plain(value: Any) -> Any:
    if isinstance(value, Generation):
        return generation_to_json(value)
    raise TypeError(f"{type(value).__name__} does not travel to another process")
