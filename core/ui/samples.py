"""The prompts that ship with Whence, put before everybody when the process starts."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from core.records import Example
from core.settings import ROOT

if TYPE_CHECKING:
    from core.store.store import Store

PROMPTS = ROOT / "data" / "prompts" / "sample_prompts.jsonl"
DATASET = "samples"


def load() -> list[Example]:
    """The sample prompts; the first of each source carries its name as id, the next a number behind it."""
    seen: Counter[str] = Counter()
    made = []
    for line in PROMPTS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        seen[row["source"]] += 1
        number = f"-{seen[row['source']]}" if seen[row["source"]] > 1 else ""
        made.append(Example(row["source"] + number, row["prompt"], row["target"] or None, row["source"]))
    return made


def seed(store: Store) -> None:
    """Put the samples into the store's shared datasets."""
    store.seed(DATASET, "Sample prompts", load(), origin="data/prompts/sample_prompts.jsonl")
