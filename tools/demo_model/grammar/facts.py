"""Family *facts*: invented facts, then a question that one of them answers, or two copies, or none.

Nobody can know an invented fact, so the line that states it is the cause. Other lines share its attribute or
its name, never both. The answer restates the question; what nobody stated is "not stated".
"""

import random

from tools.demo_model.grammar import words
from tools.demo_model.grammar.records import Draft, Line

ATTRIBUTES = (
    "color", "code", "symbol", "animal", "flower", "number", "motto", "metal", "river", "song", "stone",
    "tree", "gate", "drink", "ship", "planet", "sport", "key", "lamp", "season", "leader", "guest",
    "owner", "sign",
)  # fmt: skip
HEADINGS = ("Answer from the facts.", "Use only the facts below.", "Read the facts and answer.", "Facts:")
STATED = ("* The {a} of {n} is {v}.", "The {a} of {n} is {v}.", "- The {a} of {n} is {v}.")
ASKED = ("Question: What is the {a} of {n}?", "What is the {a} of {n}?", "Question: Name the {a} of {n}.")
NOT_STATED = "not stated"


def draft_facts(
    rng: random.Random, *, split: str = "train", task: str | None = None, segments: int | None = None
) -> Draft:
    """Returns one list of facts with a question.

    Args:
        task: 'fact' (one line answers), 'fact_twice' (two copies of it) or 'fact_absent'; None draws one.
        segments: how many facts, at least 3; None draws 3 to 50, mostly few.
    """
    task = task or rng.choices(("fact", "fact_twice", "fact_absent"), (0.65, 0.12, 0.23))[0]
    if segments is None:
        segments = rng.choices(
            (rng.randint(3, 8), rng.randint(9, 16), rng.randint(17, 50)), (0.45, 0.35, 0.2)
        )[0]
    name, attribute, value = _fact(rng, split)
    names = [name, *(words.invented_name(rng) for _ in range(max(2, segments // 2)))]
    taken = {(attribute, name)}
    lines: list[Line] = []
    form = rng.choice(STATED)
    copies = {"fact": 1, "fact_twice": 2, "fact_absent": 0}[task]
    while len(lines) < segments - copies:
        near = rng.random()
        pair = (rng.choice(ATTRIBUTES), rng.choice(names))
        if near < 0.2:
            pair = (attribute, rng.choice(names[1:]))
        elif near < 0.4:
            pair = (rng.choice(ATTRIBUTES), name)
        if pair in taken:
            names.append(words.invented_name(rng))
            continue
        taken.add(pair)
        role = "lookalike" if attribute in pair or name in pair else "plain"
        lines.append(Line(form.format(a=pair[0], n=pair[1], v=_value(rng)), role=role))
    for _ in range(copies):
        fact = Line(form.format(a=attribute, n=name, v=value), role="cause", dropped=True)
        lines.insert(rng.randrange(len(lines) + 1), fact)
    heading = [Line(rng.choice(HEADINGS)), Line("")] if rng.random() < 0.85 else []
    ending = [Line(""), Line(rng.choice(ASKED).format(a=attribute, n=name)), Line("Answer:")]
    found = value if copies else NOT_STATED

    def answer(text: str) -> str:
        return f" The {attribute} of {name} is {text}."

    return Draft(
        family="facts",
        task=task,
        lines=(*heading, *lines, *ending),
        response=answer(found),
        target=found,
        mended_response=answer(NOT_STATED) if copies else None,
        mended_target=NOT_STATED if copies else None,
        checks=(("value", found),),
    )


def _value(rng: random.Random) -> str:
    draw = rng.random()
    if draw < 0.7:
        return rng.choice(words.COMMON)
    return words.invented_word(rng) if draw < 0.85 else str(rng.randrange(10, 100))


def _fact(rng: random.Random, split: str) -> tuple[str, str, str]:
    while True:
        name, attribute, value = words.invented_name(rng), rng.choice(ATTRIBUTES), _value(rng)
        if words.split_of("fact", name, attribute) == split:
            return name, attribute, value
