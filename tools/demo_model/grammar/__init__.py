"""The synthetic grammar: families of prompts whose right answer, and its cause, are known.

`FAMILIES` names the families and their draft functions. Needs the standard library alone.
"""

import random
from collections.abc import Callable

from tools.demo_model.grammar.arithmetic import draft_arithmetic
from tools.demo_model.grammar.edits import roughen
from tools.demo_model.grammar.facts import draft_facts
from tools.demo_model.grammar.headlines import draft_headline
from tools.demo_model.grammar.ideas import draft_ideas
from tools.demo_model.grammar.menu import draft_menu
from tools.demo_model.grammar.records import Draft, GrammarPrompt, Line, Mend

__all__ = ["FAMILIES", "Draft", "GrammarPrompt", "Line", "Mend", "draw", "roughen"]

FAMILIES: dict[str, Callable[..., Draft]] = {
    "menu": draft_menu,
    "arithmetic": draft_arithmetic,
    "headlines": draft_headline,
    "ideas": draft_ideas,
    "facts": draft_facts,
}


def draw(rng: random.Random, family: str, *, split: str = "train", **options: object) -> Draft:
    """Returns one draft of a family; options are those of the family's own draft function."""
    if family not in FAMILIES:
        raise KeyError(f"no family {family!r} in the grammar; there are {', '.join(FAMILIES)}")
    return FAMILIES[family](rng, split=split, **options)
