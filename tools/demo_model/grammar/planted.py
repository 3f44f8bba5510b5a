"""Tasks whose cause is planted: what a benchmark of salience methods asks, and which lines are the answer.

Each task draws held-out prompts of one kind. A cause counts only when the model's own answer changes with it:
`GrammarPrompt.mend` holds the prompt with the cause mended or removed and the answer it must then get.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from tools.demo_model.grammar.facts import draft_facts
from tools.demo_model.grammar.menu import draft_menu
from tools.demo_model.grammar.records import Draft, GrammarPrompt


@dataclass(frozen=True)
class PlantedTask:
    """One task: its key, what people are told, how many lines cause the answer, and how it is drawn."""

    key: str
    label: str
    causes: int
    draft: Callable[[random.Random], Draft]

    def draw(self, rng: random.Random) -> GrammarPrompt:
        """Returns one held-out prompt with as many causes as the task says."""
        while True:
            record = self.draft(rng).join()
            if len(record.causes) == self.causes:
                return record


def _contradiction(rng: random.Random) -> Draft:
    return draft_menu(rng, split="held_out", task="menu_contradiction", examples=rng.randint(2, 5))


def _principle(rng: random.Random) -> Draft:
    return draft_menu(rng, split="held_out", task="menu_principle", examples=rng.randint(2, 5))


def _fact(task: str, segments: int) -> Callable[[random.Random], Draft]:
    return lambda rng: draft_facts(rng, split="held_out", task=task, segments=segments)


TASKS: tuple[PlantedTask, ...] = (
    PlantedTask("contradicting_example", "the one example with the wrong recommendation", 1, _contradiction),
    PlantedTask("obeyed_principle", "the principle that decides the recommendation", 1, _principle),
    PlantedTask("fact_in_10", "the fact asked for, among 10", 1, _fact("fact", 10)),
    PlantedTask("fact_in_50", "the fact asked for, among 50", 1, _fact("fact", 50)),
    PlantedTask("fact_twice", "two copies of the fact asked for, among 10", 2, _fact("fact_twice", 10)),
    PlantedTask("no_cause", "nothing: the fact asked for is not stated", 0, _fact("fact_absent", 10)),
)
