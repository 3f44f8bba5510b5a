"""A counterfactual generator: the prompt with one of its lines in capitals, line after line."""

import random
from collections.abc import Iterator

from whence.counterfactuals import Choices, Context, Edit, Generator
from whence.records import Example


def _edits(example: Example, _choices: Choices, _rng: random.Random, _context: Context) -> Iterator[Edit]:
    lines = example.prompt.split("\n")
    for at, line in enumerate(lines):
        yield Edit("\n".join([*lines[:at], line.upper(), *lines[at + 1 :]]), f"line {at + 1} in capitals")


GENERATOR = Generator(
    name="shout",
    label="Capitals",
    description="One line in capitals at a time: shows whether the model minds.",
    edits=_edits,
)
