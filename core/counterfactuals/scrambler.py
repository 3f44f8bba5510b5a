"""Scrambler: the same words in a random order, white space left where it is.

Terminates on any text: where no other order exists (no word, one word, one word repeated) nothing is yielded.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import regex

from core.counterfactuals.generator import Choices, Context, Edit, Generator, ordinal
from core.family import Field
from core.records import Example

_WORD = regex.compile(r"\S+")
_TRIES = 20


def shuffled(words: list[str], rng: random.Random) -> list[str]:
    """`words` in another order; the same order only where there is no other."""
    if len(set(words)) < 2:
        return words
    other = list(words)
    for _ in range(_TRIES):
        rng.shuffle(other)
        if other != words:
            return other
    first = next(i for i, word in enumerate(words) if word != words[0])
    other = list(words)
    other[0], other[first] = other[first], other[0]
    return other


def scrambled(text: str, rng: random.Random, keep_lines: bool) -> str:
    """`text` with its words in another order, each line's own words where `keep_lines`."""
    found = list(_WORD.finditer(text))
    groups: dict[int, list[int]] = {}
    for index, match in enumerate(found):
        line = text.count("\n", 0, match.start()) if keep_lines else 0
        groups.setdefault(line, []).append(index)
    new = [match.group() for match in found]
    for members in groups.values():
        for index, word in zip(members, shuffled([found[i].group() for i in members], rng)):
            new[index] = word
    out: list[str] = []
    at = 0
    for match, word in zip(found, new):
        out += [text[at : match.start()], word]
        at = match.end()
    return "".join([*out, text[at:]])


def _edits(example: Example, choices: Choices, rng: random.Random, _context: Context) -> Iterator[Edit]:
    keep_lines = bool(choices["keep_lines"])
    where = "words in a random order within each line" if keep_lines else "words in a random order"
    for number in range(1, int(choices["count"] or 1) + 1):
        yield Edit(scrambled(example.prompt, rng, keep_lines), f"{where} ({ordinal(number)})")


GENERATOR = Generator(
    name="scrambler",
    label="Scramble the words",
    description="The same words in a random order: shows how much the order matters.",
    edits=_edits,
    fields=(
        Field(name="count", label="Orders to try", kind="number", default=3, minimum=1, maximum=100),
        Field(
            name="keep_lines",
            label="Keep lines",
            kind="flag",
            default=True,
            description="Words stay in their own line.",
        ),
    ),
)
