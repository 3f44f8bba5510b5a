"""Leave one segment out: the prompt without each of its segments in turn, at any granularity."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from core.counterfactuals.generator import Choices, Context, Edit, Generator, shown
from core.family import Field
from core.records import Example
from core.segments import GRANULARITIES, partition

_BREAK = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")


def _edits(example: Example, choices: Choices, _rng: random.Random, _context: Context) -> Iterator[Edit]:
    granularity = str(choices["granularity"])
    pattern = str(choices["pattern"]) if granularity == "custom" else None
    prompt = example.prompt
    for number, (start, stop) in enumerate(partition(prompt, granularity, pattern), start=1):
        # Lines are called as in the margin of the prompt, blank ones counted; other parts by their count.
        called = line_of(prompt, start) if granularity == "line" else number
        yield Edit(
            prompt[:start] + prompt[stop:], f"without {granularity} {called}: {shown(prompt[start:stop])}"
        )


def line_of(prompt: str, start: int) -> int:
    """The number of the line, from 1, in which the text behind `start` begins."""
    text = prompt[start:]
    first = start + len(text) - len(text.lstrip("\r\n")) if text.strip("\r\n") else start
    return 1 + len(_BREAK.findall(prompt[:first]))


GENERATOR = Generator(
    name="leave_one_out",
    label="Leave one part out",
    description="The prompt without each of its parts in turn: what changes the answer by going, caused it.",
    edits=_edits,
    fields=(
        Field(
            name="granularity",
            label="Granularity",
            kind="choice",
            default="line",
            choices=tuple((g.name, g.label) for g in GRANULARITIES if g.name != "token"),
        ),
        Field(
            name="pattern",
            label="Regular expression",
            kind="line",
            default=r"\n\n",
            description="A part ends where it matches.",
            only_with=("granularity", "custom"),
        ),
    ),
)
