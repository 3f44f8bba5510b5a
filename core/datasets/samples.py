"""The prompts that ship with Whence."""

from __future__ import annotations

import json
from collections import Counter

from core.records import Example
from core.settings import ROOT

PROMPTS = ROOT / "data" / "prompts" / "sample_prompts.jsonl"


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
