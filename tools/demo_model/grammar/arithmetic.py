"""Family *arithmetic*: word problems of two steps with numbers under 100, reasoned in writing.

Each step is broken down until it is a fact small enough to know: tens are added before ones, and products
stay within the tables. The causes are the sentences that hold the numbers; a third number is a look-alike.
"""

import random
from dataclasses import dataclass

from tools.demo_model.grammar import words
from tools.demo_model.grammar.records import Draft, Line

THINGS = (
    "apples", "pears", "plums", "figs", "marbles", "books", "coins", "stamps", "cards", "shells",
    "candles", "tickets", "buttons", "feathers", "lemons", "bottles",
)  # fmt: skip
HEADINGS = (
    "Solve the problem step by step.",
    "Answer the question and show each step.",
    "Work it out in steps.",
)

STARTS = (
    "{who} has {n} {things}.",
    "{who} starts with {n} {things}.",
    "There are {n} {things} in {who}'s bag.",
)
CHANGES = {
    "+": ("{who} buys {n} more.", "{who} finds {n} more.", "A friend gives {who} {n} more."),
    "-": ("{who} gives {n} away.", "{who} loses {n} of them.", "{who} sells {n} of them."),
    "*": ("Each one is swapped for {n} new ones.", "Then the number grows to {n} times as many."),
}
IDLE = ("{other} is {n} years old.", "The shop is {n} steps away.", "{other} has {n} cats at home.")
QUESTIONS = ("How many {things} does {who} have now?", "How many {things} are there at the end?")


@dataclass(frozen=True)
class Problem:
    """A start and two changes, each an operator and a number."""

    start: int
    steps: tuple[tuple[str, int], tuple[str, int]]

    def results(self) -> tuple[int, int]:
        """Returns the numbers after the first and after the second change."""
        first = apply(self.start, *self.steps[0])
        return first, apply(first, *self.steps[1])

    def split(self) -> str:
        return words.split_of("arithmetic", self.start, *self.steps[0], *self.steps[1])

    def reasoning(self) -> str:
        first, _ = self.results()
        return f"{spell(self.start, *self.steps[0])} {spell(first, *self.steps[1])}"


def apply(left: int, operator: str, right: int) -> int:
    return {"+": left + right, "-": left - right, "*": left * right}[operator]


def spell(left: int, operator: str, right: int) -> str:
    """Returns one step in writing: through the tens where both matter, at once where not."""
    result = apply(left, operator, right)
    tens, ones = right - right % 10, right % 10
    if operator == "*" or tens == 0 or ones == 0:
        return f"{left} {operator} {right} = {result}."
    half = apply(left, operator, tens)
    return (
        f"{left} {operator} {right}: {left} {operator} {tens} = {half}, {half} {operator} {ones} = {result}."
    )


def make_problem(rng: random.Random, *, split: str | None) -> Problem:
    """Returns a problem all of whose numbers lie between 0 and 99."""
    while True:
        start = rng.randrange(2, 98)
        steps = []
        value = start
        for _ in range(2):
            operator = rng.choices("+-*", (4, 4, 1))[0]
            number = rng.randrange(2, 10) if operator == "*" else rng.randrange(1, 98)
            if operator == "*" and value > 12:
                operator = "+"
            value = apply(value, operator, number)
            steps.append((operator, number))
            if not 0 <= value < 100:
                break
        if len(steps) == 2 and 0 <= value < 100:
            problem = Problem(start, (steps[0], steps[1]))
            if 0 <= problem.results()[0] < 100 and split in (None, problem.split()):
                return problem


def draft_arithmetic(rng: random.Random, *, split: str = "train", task: str | None = None) -> Draft:
    """Returns one word problem, in a third of the cases after a solved one."""
    lines = [Line(rng.choice(HEADINGS)), Line("")] if rng.random() < 0.7 else []
    if rng.random() < 0.3:
        solved = make_problem(rng, split=words.examples_split(split))
        told = f"Answer:{_answer(solved)}"
        lines += [Line(_story(rng, solved)[0]), Line(told, learn=((7, len(told)),)), Line("")]
    problem = make_problem(rng, split=split)
    story, spans, idle = _story(rng, problem)
    causes = tuple(span for span in spans if span != idle)
    if rng.random() < 0.6:
        lines.append(Line(story, role="cause", marks=causes))
    else:
        lines += [Line(story[a:b], role="lookalike" if (a, b) == idle else "cause") for a, b in spans]
        lines.append(Line(story[spans[-1][1] + 1 :]))
    lines.append(Line("Answer:"))
    final = str(problem.results()[1])
    return Draft(
        "arithmetic", "arithmetic", tuple(lines), _answer(problem), f"{final}.", checks=(("number", final),)
    )


def _answer(problem: Problem) -> str:
    return f" {problem.reasoning()} The answer is {problem.results()[1]}."


def _story(rng: random.Random, problem: Problem) -> tuple[str, list[tuple[int, int]], tuple[int, int] | None]:
    who, other = rng.sample(words.PEOPLE, 2)
    things = rng.choice(THINGS)
    sentences = [rng.choice(STARTS).format(who=who, n=problem.start, things=things)]
    for operator, number in problem.steps:
        sentences.append(rng.choice(CHANGES[operator]).format(who=who, n=number))
    idle_at = None
    if rng.random() < 0.2:
        idle_at = rng.randrange(1, 4)
        sentences.insert(idle_at, rng.choice(IDLE).format(other=other, n=rng.randrange(2, 99)))
    spans, text = [], ""
    for sentence in sentences:
        text += " " if text else ""
        spans.append((len(text), len(text) + len(sentence)))
        text += sentence
    question = rng.choice(QUESTIONS).format(who=who, things=things)
    return f"{text} {question}", spans, None if idle_at is None else spans[idle_at]
