"""The prompts that were tried on real models, and how each was asked: readable before any weights are there.

Their answers and maps are in `data/precomputed`, made by `tools.precompute`. Knows no model, only its name.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

from core.records import Example, GenerationParams, Message, SendAs
from core.settings import ROOT

DATASET, TITLE = "real-models", "Stories on real models"
PROMPTS = ROOT / "data" / "prompts" / "real_models.jsonl"


@dataclass(frozen=True, slots=True)
class Story:
    """One prompt; `models` are names of `core.models.local.real_models`."""

    example: Example
    models: tuple[str, ...]
    params: GenerationParams
    send_as: SendAs

    @property
    def sent(self) -> str | tuple[Message, ...]:
        """What the model reads, before its template."""
        return self.example.prompt if self.send_as == "plain" else (Message("user", self.example.prompt),)


@lru_cache(maxsize=1)
def load() -> tuple[Story, ...]:
    """All stories; the first is the one that the codelab tells: a mistake in an example that is copied."""
    made = []
    for line in PROMPTS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        made.append(
            Story(
                Example(row["id"], row["prompt"], source="real models"),
                tuple(row["models"]),
                GenerationParams(stop=tuple(row["stop"])),
                row["send"],
            )
        )
    return tuple(made)
