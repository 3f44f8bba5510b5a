"""Which prompts training sees when: short ones first, menus first, then all families
and drills of the slow skills.

`drawn_at` is a function of the share of training done, so that a plan of any length goes through the same
stages.
"""

import random

from tools.demo_model.drills import drill_copies, drill_facts, drill_lookups, drill_sums
from tools.demo_model.grammar import Draft, draw

# Share of training at which the stage ends, and the weights of the families and drills in it.
STAGES: tuple[tuple[float, dict[str, float]], ...] = (
    (0.10, {"menu": 0.55, "arithmetic": 0.12, "headlines": 0.05, "ideas": 0.06, "facts": 0.22}),
    (0.30, {"menu": 0.58, "arithmetic": 0.15, "headlines": 0.05, "ideas": 0.07, "facts": 0.15}),
    (
        0.75,
        {
            "menu": 0.38, "arithmetic": 0.11, "headlines": 0.03, "ideas": 0.06, "facts": 0.12,
            "sums drill": 0.06, "questions drill": 0.05, "lookups drill": 0.13, "copies drill": 0.06,
        },
    ),
    (
        1.00,
        {
            "menu": 0.40, "arithmetic": 0.12, "headlines": 0.05, "ideas": 0.07, "facts": 0.17,
            "sums drill": 0.05, "questions drill": 0.03, "lookups drill": 0.08, "copies drill": 0.03,
        },
    ),
)  # fmt: skip
DRILLS = {
    "sums drill": drill_sums,
    "questions drill": drill_facts,
    "lookups drill": drill_lookups,
    "copies drill": drill_copies,
}
# Training draws what is slow to learn more often than evaluation does.
MENU_TASKS = {"menu": 0.3, "menu_contradiction": 0.2, "menu_principle": 0.5}
FACT_TASKS = {"fact": 0.55, "fact_twice": 0.1, "fact_absent": 0.35}
SHORT_UNTIL = 0.05  # menus with at most one example, short lists of facts
MEDIUM_UNTIL = 0.12


def drawn_at(rng: random.Random, done: float) -> Draft:
    """Returns one training draft for the share of training done, 0 to 1."""
    weights = next((weights for end, weights in STAGES if done < end), STAGES[-1][1])
    family = rng.choices(tuple(weights), tuple(weights.values()))[0]
    if family in DRILLS:
        return DRILLS[family](rng)
    options: dict[str, object] = {}
    if family == "menu":
        options["task"] = rng.choices(tuple(MENU_TASKS), tuple(MENU_TASKS.values()))[0]
        few = options["task"] == "menu_principle"
        options["examples"] = rng.choices(
            range(7), (8, 35, 30, 15, 6, 3, 3) if few else (5, 20, 28, 23, 12, 6, 6)
        )[0]
    if family == "facts":
        options["task"] = rng.choices(tuple(FACT_TASKS), tuple(FACT_TASKS.values()))[0]
    if done < MEDIUM_UNTIL:
        short = done < SHORT_UNTIL
        if family == "menu":
            options["examples"] = rng.choice((0, 1, 1) if short else (1, 2, 2, 3))
        if family == "facts":
            options["segments"] = rng.randint(3, 5 if short else 8)
    return draw(rng, family, split="train", **options)
