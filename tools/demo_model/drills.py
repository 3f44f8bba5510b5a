"""Dense exercises for training alone: many small steps in one sequence, where a prompt asks for one.

A drill is a prompt of its family with more questions in it; nothing in evaluation or in the benchmark draws
one. They make the slow skills, sums and looking up facts, several times cheaper to learn.
"""

import random
import re

from tools.demo_model.grammar import Draft, Line, words
from tools.demo_model.grammar.arithmetic import apply, make_problem, spell
from tools.demo_model.grammar.facts import ASKED, ATTRIBUTES, NOT_STATED, draft_facts

STATEMENT = re.compile(r"The (?P<a>\w+) of (?P<n>\w+) is (?P<v>\w+)\.$")


def drill_sums(rng: random.Random) -> Draft:
    """Returns a page of sums, each worked out as in an answer; numbers and results between 0 and 99."""
    lines = []
    for _ in range(rng.randint(6, 14)):
        told = f"Answer: {_sum(rng)}"
        lines.append(Line(told, learn=((7, len(told)),)))
    problem = make_problem(rng, split="train")
    lines.append(Line("Answer:"))
    return Draft("arithmetic", "drill", tuple(lines), f" {problem.reasoning()}", problem.reasoning())


def _sum(rng: random.Random) -> str:
    while True:
        operator = rng.choices("+-*", (5, 5, 1))[0]
        left = rng.randrange(2, 13) if operator == "*" else rng.randrange(1, 99)
        right = rng.randrange(2, 10) if operator == "*" or rng.random() < 0.5 else rng.randrange(1, 98)
        if 0 <= apply(left, operator, right) < 100:
            return spell(left, operator, right)


def drill_facts(rng: random.Random, *, segments: int | None = None) -> Draft:
    """Returns a list of facts with three to six questions, all but the last answered in the prompt."""
    segments = segments or rng.choice((3, 4, 5, 6, 8, 10, 12))
    task = rng.choice(("fact", "fact", "fact_absent"))
    draft = draft_facts(rng, task=task, segments=segments)
    stated = _stated(draft)
    asked: list[Line] = []
    for _ in range(rng.randint(2, 5)):
        attribute, name = rng.choice(tuple(stated))
        if rng.random() < 0.3:  # nearly always about a name or an attribute that other facts speak of
            name = rng.choice(tuple(stated))[1] if rng.random() < 0.8 else words.invented_name(rng)
            attribute = rng.choice(tuple(stated))[0] if rng.random() < 0.6 else rng.choice(ATTRIBUTES)
        told = f"Answer: The {attribute} of {name} is {stated.get((attribute, name), NOT_STATED)}."
        question = rng.choice(ASKED).format(a=attribute, n=name)
        asked += [Line(question), Line(told, learn=((7, len(told)),)), Line("")]
    return Draft(
        "facts", "drill", (*draft.lines[:-2], *asked, *draft.lines[-2:]), draft.response, draft.target
    )


def _stated(draft: Draft) -> dict[tuple[str, str], str]:
    found = (STATEMENT.search(line.text) for line in draft.lines)
    return {(one["a"], one["n"]): one["v"] for one in found if one}


def drill_lookups(rng: random.Random) -> Draft:
    """Returns a list of facts and many answers about it; only what each answer looks up is learnt."""
    segments = rng.choice((3, 4, 6, 8, 10, 12, 16, 24))
    task = rng.choice(("fact", "fact_absent"))
    draft = draft_facts(rng, task=task, segments=segments)
    stated = _stated(draft)
    names, attributes = [pair[1] for pair in stated], [pair[0] for pair in stated]
    asked = set(rng.sample(tuple(stated), rng.randint(2, min(12, len(stated)))))
    for _ in range(rng.randint(2, 10)):
        near = rng.choice(attributes) if rng.random() < 0.8 else rng.choice(ATTRIBUTES)
        asked.add((near, rng.choice(names)))
    told = []
    for attribute, name in rng.sample(sorted(asked), len(asked)):
        start = f"Answer: The {attribute} of {name} is"
        text = f"{start} {stated.get((attribute, name), NOT_STATED)}."
        told.append(Line(text, learn=((len(start), len(text)),)))
    return Draft(
        "facts", "drill", (*draft.lines[:-2], *told, *draft.lines[-2:]), draft.response, draft.target
    )


def drill_copies(rng: random.Random) -> Draft:
    """Returns a list of phrases under invented names, then each again under its name, in another order."""
    names = [words.invented_name(rng) for _ in range(rng.randint(3, 8))]
    made = words.random_phrase if rng.random() < 0.7 else words.composed_phrase
    phrases = [made(rng) for _ in names]
    label = rng.choice(("Recommendation", "Advice", "Answer", "Phrase"))
    lines = [Line(f"* {name}: {phrase}") for name, phrase in zip(names, phrases, strict=True)]
    order = rng.sample(range(len(names)), len(names))
    for i in order[:-1]:
        start = f"{names[i]}. {label}:"
        text = f"{start} {phrases[i]}"
        lines.append(Line(text, learn=((len(start), len(text)),)))
    last = order[-1]
    lines.append(Line(f"{names[last]}. {label}:"))
    return Draft("menu", "drill", tuple(lines), f" {phrases[last]}", phrases[last])
