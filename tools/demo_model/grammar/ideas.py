"""Family *ideas*: propose something under principles, each of which the proposal must obey.

Every occasion has a plan of its own; a principle replaces one part of it. Some principles name the words to
use, some a property that the words must have.
"""

import random
from dataclasses import dataclass, replace

from tools.demo_model.grammar import words
from tools.demo_model.grammar.records import Draft, Line

ACTIVITIES = (
    "a picnic",
    "a concert",
    "a quiz",
    "a dance",
    "a treasure hunt",
    "a story hour",
    "a film night",
    "a fair",
)
OUTDOORS = ("in the garden", "by the lake", "on the beach", "in the park")
INDOORS = ("in the library", "in the kitchen", "at the museum", "in the town hall")
PEOPLE = ("children", "old friends", "the neighbors", "everyone", "students", "families")
FOODS = ("lemonade", "warm bread", "fruit salad", "popcorn", "tea", "pancakes")
PRICES = ("It is free.", "It costs a little.")

# occasion: activity, place, people, food
OCCASIONS = {
    "a birthday": (4, OUTDOORS[0], 0, 5), "a rainy day": (2, INDOORS[0], 5, 4),
    "a school party": (3, INDOORS[3], 4, 3), "a summer evening": (1, OUTDOORS[1], 3, 0),
    "a team outing": (0, OUTDOORS[3], 1, 1), "a family weekend": (4, OUTDOORS[2], 5, 2),
    "a winter afternoon": (5, INDOORS[1], 0, 4), "a street festival": (7, OUTDOORS[3], 2, 3),
    "a first meeting": (2, INDOORS[2], 4, 4), "a farewell": (6, INDOORS[3], 1, 1),
}  # fmt: skip
HEADINGS = ("Propose an idea for {}.", "Suggest something for {}.", "Give one idea for {}.")
RULE_HEADINGS = ("Principles:", "## Principles", "Rules:", "Obey these principles:")


@dataclass(frozen=True)
class Plan:
    """A proposal, part by part."""

    activity: str
    place: str
    people: str
    food: str
    price: str
    first: str = ""
    last: str = ""
    extra: str = ""

    def text(self) -> str:
        start = f"{self.first}: " if self.first else ""
        extra = f" Bring {self.extra}." if self.extra else ""
        last = f" {self.last}" if self.last else ""
        what = f"Hold {self.activity} {self.place} for {self.people}, with {self.food}."
        return f"{start}{what} {self.price}{extra}{last}"


def draft_ideas(rng: random.Random, *, split: str = "train", task: str | None = None) -> Draft:
    """Returns one request for an idea with none to four principles in it."""
    while True:
        occasion = rng.choice(tuple(OCCASIONS))
        kinds = rng.sample(tuple(_RULES), rng.choices(range(5), (6, 24, 30, 25, 15))[0])
        if len(_PLACE_RULES & set(kinds)) < 2 and split == words.split_of("ideas", occasion, *sorted(kinds)):
            break
    activity, place, people, food = OCCASIONS[occasion]
    default = plan = Plan(ACTIVITIES[activity], place, PEOPLE[people], FOODS[food], PRICES[1])
    rules, checks = [], []
    for kind in kinds:
        plan, rule, check = _RULES[kind](rng, plan)
        rules.append(rule)
        checks.append(check)
    lines = [Line(rng.choice(HEADINGS).format(occasion)), Line("")]
    if rules:
        lines += [Line(rng.choice(RULE_HEADINGS))] if rng.random() < 0.8 else []
        lines += [Line(f"* {rule}", role="cause" if i == 0 else "lookalike") for i, rule in enumerate(rules)]
        lines.append(Line(""))
    lines.append(Line("Idea:"))
    target = plan.text() if not kinds else checks[0][1].split("|")[0]
    if target not in plan.text() or target == default.text():
        target = plan.text()
    return Draft("ideas", "ideas", tuple(lines), f" {plan.text()}", target, checks=tuple(checks))


def obeys(answer: str, checks: tuple[tuple[str, str], ...]) -> bool:
    """Returns whether an answer obeys every principle; alternatives within one are separated by '|'."""
    text = answer.strip()
    tests = {
        "has": lambda value: any(one in text for one in value.split("|")),
        "lacks": lambda value: not any(one in text for one in value.split("|")),
        "starts": text.startswith,
        "ends": text.endswith,
    }
    return all(tests[kind](value) for kind, value in checks)


Check = tuple[str, str]


def _outdoors(rng: random.Random, plan: Plan) -> tuple[Plan, str, Check]:
    place = plan.place if plan.place in OUTDOORS else OUTDOORS[0]
    rule = rng.choice(("It must be outdoors.", "It must take place in the open air."))
    return replace(plan, place=place), rule, ("has", _first(place, OUTDOORS))


def _indoors(rng: random.Random, plan: Plan) -> tuple[Plan, str, Check]:
    place = plan.place if plan.place in INDOORS else INDOORS[0]
    rule = rng.choice(("It must be indoors.", "It must take place under a roof."))
    return replace(plan, place=place), rule, ("has", _first(place, INDOORS))


def _place(rng: random.Random, plan: Plan) -> tuple[Plan, str, Check]:
    place = rng.choice(OUTDOORS + INDOORS)
    return replace(plan, place=place), f"It must be {place}.", ("has", place)


def _free(rng: random.Random, plan: Plan) -> tuple[Plan, str, Check]:
    rule = rng.choice(("It must be free.", "It must cost nothing.", "Nobody may have to pay."))
    return replace(plan, price=PRICES[0]), rule, ("has", PRICES[0])


def _people(rng: random.Random, plan: Plan) -> tuple[Plan, str, Check]:
    people = rng.choice(PEOPLE)
    rule = rng.choice(("It must be for {}.", "Plan it for {}.")).format(people)
    return replace(plan, people=people), rule, ("has", f"for {people}")


def _food(rng: random.Random, plan: Plan) -> tuple[Plan, str, Check]:
    food = rng.choice(FOODS)
    return (
        replace(plan, food=food),
        rng.choice(("Serve {}.", "There must be {}.")).format(food),
        ("has", food),
    )


def _activity(rng: random.Random, plan: Plan) -> tuple[Plan, str, Check]:
    activity = rng.choice(ACTIVITIES)
    return replace(plan, activity=activity), f"It must be {activity}.", ("has", activity)


def _extra(rng: random.Random, plan: Plan) -> tuple[Plan, str, Check]:
    thing = f"a {rng.choice(words.COMMON)}"
    rule = rng.choice(("Ask people to bring {}.", "Everyone brings {}.")).format(thing)
    return replace(plan, extra=thing), rule, ("has", f"Bring {thing}.")


def _first_word(rng: random.Random, plan: Plan) -> tuple[Plan, str, Check]:
    word = rng.choice(words.COMMON).capitalize() if rng.random() < 0.7 else words.invented_name(rng)
    return replace(plan, first=word), f"Begin with the word {word}.", ("starts", word)


def _last_words(rng: random.Random, plan: Plan) -> tuple[Plan, str, Check]:
    phrase = words.random_phrase(rng).rstrip(".!") + "."
    return (
        replace(plan, last=phrase),
        rng.choice(("End with: {}", "Close with: {}")).format(phrase),
        ("ends", phrase),
    )


def _first(chosen: str, allowed: tuple[str, ...]) -> str:
    return "|".join((chosen, *(one for one in allowed if one != chosen)))


_PLACE_RULES = {"outdoors", "indoors", "place"}  # at most one of them, or no idea could obey
_RULES = {
    "outdoors": _outdoors, "indoors": _indoors, "place": _place, "free": _free, "people": _people,
    "food": _food, "activity": _activity, "extra": _extra, "first": _first_word, "last": _last_words,
}  # fmt: skip
