"""Counterfactuals: changed prompts that ask "what if this were different", and how much each changed.

    made = make(generator("leave_one_out"), [example], {"granularity": "line"})
    made.examples                        # Examples with parent_id and the edit in words
    effect(example, made.examples[0], response, score=…, write=…)

A generator is one file and one line of the tuple at the end; it is seeded, bounded in number and time, and
never changes its input. Torch is imported only inside those that need it.
"""

from __future__ import annotations

from core import plugins
from core.counterfactuals import (
    back_translation,
    few_shot,
    hotflip,
    leave_one_out,
    paraphrase,
    scrambler,
    template_sweep,
    word_replacer,
)
from core.counterfactuals.effect import ORDERS, Effect, effect, flipped, ranked, times
from core.counterfactuals.generator import Choices, Context, Edit, Generator, Made, make
from core.family import find

__all__ = [
    "GENERATORS",
    "ORDERS",
    "Choices",
    "Context",
    "Edit",
    "Effect",
    "Generator",
    "Made",
    "effect",
    "flipped",
    "generator",
    "make",
    "ranked",
    "times",
]


def generator(name: str) -> Generator:
    """The generator called `name`. Raises: AppError that lists what there is."""
    return find("generator", GENERATORS, name)


GENERATORS: tuple[Generator, ...] = plugins.extended(
    "whence.generators",
    Generator,
    (
        leave_one_out.GENERATOR,
        word_replacer.GENERATOR,
        few_shot.GENERATOR,
        scrambler.GENERATOR,
        template_sweep.GENERATOR,
        hotflip.GENERATOR,
        paraphrase.GENERATOR,
        back_translation.GENERATOR,
    ),
)
