"""Few-shot surgery: drops, doubles and reorders a prompt's examples, exchanges two examples' answers.

Examples are the blocks (`core.segments`) that begin with one label, "Question:" say; the last such block is
the question itself where it has fewer labels than the others or its last one has nothing behind it. An
answer is what stands behind an example's last label. Knows no model.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import regex

from core.counterfactuals.generator import Choices, Context, Edit, Generator
from core.errors import AppError
from core.family import Field
from core.records import Example
from core.segments import partition

_LABEL = regex.compile(r"^[ \t]*\**([\p{L}][\p{L}\p{M}\p{N} '’_-]{0,40}?)[\p{N}# ]*\**:", regex.MULTILINE)
_ORDERS = 200


@dataclass(frozen=True, slots=True)
class Shot:
    """One example in a prompt: its own characters, white space after it left out, and those of its answer."""

    start: int
    stop: int
    answer: tuple[int, int]
    label: str


def shots(prompt: str) -> tuple[Shot, ...]:
    """The examples of a few-shot prompt in their order; none where it has fewer than two blocks alike."""
    blocks = []
    for start, stop in partition(prompt, "block"):
        stop = start + len(prompt[start:stop].rstrip())
        labels = list(_LABEL.finditer(prompt, start, stop))
        if labels and not prompt[start : labels[0].start()].strip():
            blocks.append((start, stop, labels))
    firsts = Counter(_name(labels[0]) for _start, _stop, labels in blocks)
    if not firsts or firsts.most_common(1)[0][1] < 2:
        return ()
    common = firsts.most_common(1)[0][0]
    alike = [block for block in blocks if _name(block[2][0]) == common]
    most = max(len(labels) for _start, _stop, labels in alike)
    start, stop, labels = alike[-1]
    if len(labels) < most or not prompt[labels[-1].end() : stop].strip():
        alike = alike[:-1]
    return tuple(
        Shot(start, stop, (_skip(prompt, labels[-1].end(), stop), stop), _name(labels[-1]))
        for start, stop, labels in alike
    )


def _name(label: regex.Match[str]) -> str:
    return str(label.group(1)).strip().casefold()


def _skip(text: str, start: int, stop: int) -> int:
    while start < stop and text[start].isspace():
        start += 1
    return start


def _edits(example: Example, choices: Choices, rng: random.Random, _context: Context) -> Iterator[Edit]:
    prompt = example.prompt
    found = shots(prompt)
    if not found:
        raise AppError(
            "No few-shot examples were found in this prompt.",
            hint="At least two blocks that begin with the same label, such as “Question:”, were expected.",
        )
    wanted = str(choices["operation"])
    operations = {"drop": _drop, "duplicate": _duplicate, "reorder": _reorder, "exchange": _exchange}
    for name, operation in operations.items():
        if wanted in ("every", name):
            yield from operation(prompt, found, rng)


def _drop(prompt: str, found: tuple[Shot, ...], _rng: random.Random) -> Iterator[Edit]:
    for number, shot in enumerate(found, start=1):
        after = _skip(prompt, shot.stop, len(prompt))
        yield Edit(prompt[: shot.start] + prompt[after:], f"example {number} of {len(found)} dropped")


def _duplicate(prompt: str, found: tuple[Shot, ...], _rng: random.Random) -> Iterator[Edit]:
    for number, shot in enumerate(found, start=1):
        gap = prompt[shot.stop : _skip(prompt, shot.stop, len(prompt))] or "\n\n"
        twice = prompt[: shot.stop] + gap + prompt[shot.start :]
        yield Edit(twice, f"example {number} of {len(found)} stands there twice")


def _reorder(prompt: str, found: tuple[Shot, ...], rng: random.Random) -> Iterator[Edit]:
    """Orders drawn at random, each once; all of them, in the end, where there are few."""
    seen = {tuple(range(len(found)))}
    for _ in range(_ORDERS):
        order = tuple(rng.sample(range(len(found)), len(found)))
        if order in seen:
            continue
        seen.add(order)
        texts = [prompt[found[i].start : found[i].stop] for i in order]
        spans = [(shot.start, shot.stop) for shot in found]
        named = ", ".join(str(i + 1) for i in order)
        yield Edit(_put(prompt, spans, texts), f"examples in the order {named}")


def _exchange(prompt: str, found: tuple[Shot, ...], _rng: random.Random) -> Iterator[Edit]:
    for (i, one), (j, other) in combinations(enumerate(found, start=1), 2):
        if one.label == other.label:
            texts = [prompt[slice(*other.answer)], prompt[slice(*one.answer)]]
            yield Edit(
                _put(prompt, [one.answer, other.answer], texts),
                f"the answers of examples {i} and {j} exchanged",
            )


def _put(prompt: str, spans: list[tuple[int, int]], texts: list[str]) -> str:
    out, at = [], 0
    for (start, stop), text in zip(spans, texts):
        out += [prompt[at:start], text]
        at = stop
    return "".join([*out, prompt[at:]])


GENERATOR = Generator(
    name="few_shot",
    label="Few-shot surgery",
    description="Drops, doubles or reorders the prompt's examples, or exchanges the answers of two of them.",
    edits=_edits,
    fields=(
        Field(
            name="operation",
            label="What to do",
            kind="choice",
            default="every",
            choices=(
                ("every", "All of these"),
                ("drop", "Drop each example"),
                ("duplicate", "Double each example"),
                ("reorder", "Reorder the examples"),
                ("exchange", "Exchange the answers of two"),
            ),
        ),
    ),
)
