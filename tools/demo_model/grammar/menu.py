"""Family *menu*: does a dish suit a guest, and how is that put into words? Few-shot, with written analysis.

The analysis restates the restriction and reads the dish's ingredients one by one, so that every step is
reading. The recommendation is the one that the last example with the same verdict got: only the prompt can
tell its words. A principle outranks the examples. Without example or principle a fixed wording is used.
"""

import random
from dataclasses import dataclass

from tools.demo_model.grammar import words
from tools.demo_model.grammar.records import Draft, Line

DEFAULT_PHRASE = {True: "Order it.", False: "Do not order it."}
PLAIN_PHRASE = {True: "It suits you.", False: "It does not suit you."}
VERDICT = {True: "So it suits the guest.", False: "So it does not suit the guest."}

HEADINGS = (
    "Analyze a dish from the menu for a guest.", "Judge whether a dish from the menu suits the guest.",
    "You advise the guests of a small restaurant.", "Read the menu item and advise the guest.",
    "Help a guest to choose from the menu.", "Does this dish suit the guest?",
)  # fmt: skip
EXAMPLE_HEADINGS = ("## For example:", "## For example:", "## Examples:", "Examples:", "## Some examples")
TASK_HEADINGS = ("## Now analyze:", "## Your turn:", "## The dish:", "Now this one:", "## Now you:")
LIKES = ("Likes", "Likes", "Enjoys", "Taste-likes", "Favorite")
AVOIDS = ("Avoids", "Avoids", "Cannot eat", "Dislikes", "Taste-dislikes", "Allergic to", "Does not eat")
DIET = ("Diet", "Diet", "Eats", "Guest")
DISH = ("Dish", "Dish", "Menu item", "Suggestion", "Plate")
ANALYSIS = ("Analysis", "Analysis", "Analysis", "Analysis", "Reasoning")
RECOMMENDATION = ("Recommendation", "Recommendation", "Recommendation", "Recommendation", "Advice")
LIKED = ("strong flavors", "simple food", "warm meals", "something crunchy", "fresh herbs")

EXPLICIT_RULES = {
    False: (
        "* If the dish does not suit the guest, the recommendation must be: {}",
        "* When a dish does not suit the guest, recommend: {}",
        "* For a dish that does not suit, always answer: {}",
    ),
    True: (
        "* If the dish suits the guest, the recommendation must be: {}",
        "* When a dish suits the guest, recommend: {}",
        "* For a dish that suits, always answer: {}",
    ),
}
PLAIN_RULES = (
    "* Say plainly whether the dish suits the guest.",
    "* The recommendation must say clearly whether the dish suits the guest.",
    "* Analysis and recommendation must both be clear about whether the dish suits.",
    "* Be clear about whether the dish suits a guest with a restriction.",
)
IDLE_RULES = (
    "* Be brief.", "* Be kind to the guest.", "* Use simple words.", "* Name every ingredient.",
    "* Never speak about prices.", "* Write in English.", "* Do not invent ingredients.",
)  # fmt: skip


@dataclass(frozen=True)
class Style:
    """The labels of one prompt."""

    likes: str
    avoids: str
    diet: str
    dish: str
    analysis: str
    recommendation: str


@dataclass(frozen=True)
class Case:
    """A guest and a dish. `avoided` holds ingredients, category words or one diet."""

    liked: str
    avoided: tuple[str, ...]
    dish: str
    ingredients: tuple[str, ...]

    @property
    def names_categories(self) -> bool:
        return any(thing in words.DIETS or thing in words.CATEGORY_WORDS.values() for thing in self.avoided)

    def fine(self, ingredient: str) -> bool:
        """Returns whether the guest may eat the ingredient."""
        category = words.CATEGORY_OF.get(ingredient, "plant")
        for thing in self.avoided:
            if thing == ingredient or thing == words.CATEGORY_WORDS.get(category):
                return False
            if category in words.DIETS.get(thing, ()):
                return False
        return True

    @property
    def suits(self) -> bool:
        return all(self.fine(item) for item in self.ingredients)

    def split(self) -> str:
        return words.split_of("menu", *sorted(self.avoided), "/", *sorted(self.ingredients))

    def restriction(self) -> str:
        """Returns the restriction as the analysis restates it."""
        if self.avoided[0] in words.DIETS:
            return f"The guest is {self.avoided[0]}."
        return f"The guest avoids {' and '.join(self.avoided)}."

    def analysis(self) -> str:
        """Returns the full written analysis, from the restriction to the verdict."""
        read = []
        for item in self.ingredients:
            mark = "fine" if self.fine(item) else "not fine"
            if self.names_categories:
                mark = f"{words.CATEGORY_OF.get(item, 'plant')}, {mark}"
            read.append(f"{item} ({mark})")
        return f"{self.restriction()} The dish has {', '.join(read)}. {VERDICT[self.suits]}"

    def short_analysis(self, rng: random.Random) -> str:
        """Returns the analysis as a hurried person would write it."""
        bad = [item for item in self.ingredients if not self.fine(item)]
        if not bad:
            return rng.choice(
                ("Nothing in it is a problem, so it suits the guest.", "All of it is fine. It suits.")
            )
        return rng.choice(
            (
                f"It has {bad[0]}, so it does not suit the guest.",
                f"The {bad[0]} in it do not suit the guest.",
                f"It has {bad[0]}, which the guest avoids. It does not suit.",
            )
        )


def make_style(rng: random.Random) -> Style:
    if rng.random() < 0.5:
        return Style("Likes", "Avoids", "Diet", "Dish", "Analysis", "Recommendation")
    return Style(*(rng.choice(names) for names in (LIKES, AVOIDS, DIET, DISH, ANALYSIS, RECOMMENDATION)))


def make_case(rng: random.Random, *, suits: bool, split: str | None) -> Case:
    """Returns a guest and a dish with the verdict asked for, of the split asked for (None: of either)."""
    while True:
        pool = list(words.ALL_INGREDIENTS)
        if rng.random() < 0.12:
            pool = [
                words.invented_word(rng) if rng.random() < 0.5 else rng.choice(words.COMMON) for _ in range(8)
            ]
            pool += rng.sample(words.ALL_INGREDIENTS, 4)
        items = tuple(dict.fromkeys(rng.sample(pool, rng.choice((2, 3, 3, 4)))))
        case = Case(_liked(rng, items), _avoided(rng, items, pool, suits), _dish_name(rng, items), items)
        if case.suits == suits and len(items) > 1 and split in (None, case.split()):
            known = all(item in words.CATEGORY_OF for item in items)
            if known or not case.names_categories:
                return case


def _liked(rng: random.Random, items: tuple[str, ...]) -> str:
    draw = rng.random()
    if draw < 0.4:
        return rng.choice(items)
    return rng.choice(LIKED) if draw < 0.6 else rng.choice(words.ALL_INGREDIENTS)


def _avoided(rng: random.Random, items: tuple[str, ...], pool: list[str], suits: bool) -> tuple[str, ...]:
    draw = rng.random()
    if draw < 0.14:
        return (rng.choice(tuple(words.DIETS)),)
    if draw < 0.36:
        return (rng.choice(tuple(words.CATEGORY_WORDS.values())),)
    one = rng.choice(pool if suits else items)
    if draw < 0.62:
        other = rng.choice(pool) if rng.random() < 0.6 else rng.choice(tuple(words.CATEGORY_WORDS.values()))
        pair = [one, other]
        rng.shuffle(pair)
        return tuple(dict.fromkeys(pair))
    return (one,)


def _dish_name(rng: random.Random, items: tuple[str, ...]) -> str:
    listed = items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
    name = f"{rng.choice(words.DISH_ADJECTIVES)} {rng.choice(words.DISH_KINDS)}"
    if rng.random() < 0.15:
        name = rng.choice(words.DISH_KINDS).capitalize()
    return f"{name} with {listed}"


def case_lines(rng: random.Random, case: Case, style: Style, *, with_likes: bool) -> list[Line]:
    """Returns the lines that describe the guest and the dish."""
    restriction = " and ".join(case.avoided)
    label = style.diet if case.avoided[0] in words.DIETS else style.avoids
    lines = [Line(f"{style.likes}: {case.liked}")] if with_likes else []
    return [*lines, Line(f"{label}: {restriction}"), Line(f"{style.dish}: {case.dish}")]


def draft_menu(
    rng: random.Random,
    *,
    split: str = "train",
    task: str | None = None,
    examples: int | None = None,
    unseen_phrases: bool | None = None,
) -> Draft:
    """Returns one menu prompt.

    Args:
        task: 'menu', 'menu_contradiction' (the only example with the dish's verdict got a recommendation of
            the other kind) or 'menu_principle' (a rule of the prompt decides); None draws one.
        examples: how many examples, 0 to 6; None draws.
        unseen_phrases: every recommendation is made of words held out (True), of the listed sentences
            (False), or drawn as in training (None).
    """
    task = task or rng.choices(("menu", "menu_contradiction", "menu_principle"), (0.45, 0.25, 0.3))[0]
    if examples is None:
        examples = rng.choices(range(7), (5, 15, 25, 25, 15, 8, 7))[0]
    style = make_style(rng)
    suits = rng.random() < 0.45
    if task == "menu_contradiction":
        suits, examples = rng.random() < 0.15, max(examples, 1)
    case = make_case(rng, suits=suits, split=split)
    phrases = _Phrases(rng, unseen_phrases)
    shots = _shots(rng, task, suits, examples, phrases)
    rule, rule_phrase = _rule(rng, suits, phrases) if task == "menu_principle" else (None, None)
    same = [i for i, shot in enumerate(shots) if shot.suits == suits]
    decisive = same[-1] if same else None
    from_examples = shots[decisive].phrase if decisive is not None else DEFAULT_PHRASE[suits]
    phrase = rule_phrase or from_examples
    other = phrases.mended(suits, (phrase, from_examples, *(s.phrase for s in shots)))

    lines = [Line(rng.choice(HEADINGS)), Line("")] if rng.random() < 0.93 else []
    rules = [Line(text) for text in rng.sample(IDLE_RULES, rng.choice((0, 0, 0, 1, 2)))]
    if rule is not None:
        rules.insert(rng.randrange(len(rules) + 1), rule)
    elif rng.random() < 0.1:
        idle = rng.choice(EXPLICIT_RULES[not suits]).format(phrases.any())
        rules.append(Line(idle, role="lookalike"))
    if rules:
        lines += [*rules, Line("")]
    with_likes = rng.random() < 0.7
    if shots:
        lines += [Line(rng.choice(EXAMPLE_HEADINGS)), Line("")]
    for i, shot in enumerate(shots):
        lines += case_lines(rng, shot.case, style, with_likes=with_likes)
        lines.append(_learnable(style.analysis, shot.analysis, shot.analysis_known))
        recommended = f"{style.recommendation}: {shot.phrase}"
        seen = any(s.suits == shot.suits and s.phrase == shot.phrase for s in shots[:i])
        learn = ((len(style.recommendation) + 1, len(recommended)),) if seen else ()
        role, mended = "lookalike", None
        if rule is None and shot.suits == suits and shot.phrase == from_examples:
            role, mended = "cause", f"{style.recommendation}: {other}"
        lines += [Line(recommended, role=role, learn=learn, mended=mended), Line("")]
    if shots and rng.random() < 0.6:
        lines += [Line(rng.choice(TASK_HEADINGS)), Line("")]
    lines += [*case_lines(rng, case, style, with_likes=with_likes), Line(f"{style.analysis}:")]

    def answer(words_: str) -> str:
        return f" {case.analysis()}\n{style.recommendation}: {words_}"

    mendable = rule is not None or decisive is not None
    mended_phrase = from_examples if rule is not None else other
    return Draft(
        family="menu",
        task=task,
        lines=tuple(lines),
        response=answer(phrase),
        target=phrase,
        mended_response=answer(mended_phrase) if mendable else None,
        mended_target=mended_phrase if mendable else None,
        checks=(("recommendation", phrase), ("label", style.recommendation)),
    )


@dataclass(frozen=True)
class _Shot:
    case: Case
    suits: bool
    phrase: str
    analysis: str
    analysis_known: bool


class _Phrases:
    """Draws the recommendations of one prompt: from the lists, or random words in half of the prompts."""

    def __init__(self, rng: random.Random, unseen: bool | None) -> None:
        self.rng = rng
        self.held_out = unseen is True
        self.random = unseen is True or (unseen is None and rng.random() < 0.55)

    def any(self) -> str:
        return self.draw(self.rng.random() < 0.5)

    def draw(self, good: bool) -> str:
        if self.random:
            return words.random_phrase(self.rng, held_out=self.held_out)
        return self.rng.choice(words.GOOD_PHRASES if good else words.BAD_PHRASES)

    def mended(self, good: bool, taken: tuple[str, ...]) -> str:
        while True:
            phrase = self.draw(good)
            if phrase not in taken:
                return phrase


def _shots(rng: random.Random, task: str, suits: bool, count: int, phrases: _Phrases) -> list[_Shot]:
    contradiction = task == "menu_contradiction"
    decisive = rng.randrange(count) if contradiction else -1
    steady = {True: phrases.draw(True), False: phrases.draw(False)}
    vary = rng.random() < 0.3
    full = rng.random() < 0.75
    shots = []
    for i in range(count):
        verdict = rng.random() < 0.5
        if contradiction:
            verdict = suits if i == decisive else not suits
        case = make_case(rng, suits=verdict, split=None)
        phrase = phrases.draw(verdict) if vary else steady[verdict]
        if i == decisive:
            phrase = steady[not suits] if rng.random() < 0.4 else phrases.draw(not suits)
        analysis = case.analysis() if full else case.short_analysis(rng)
        shots.append(_Shot(case, verdict, phrase, analysis, full))
    return shots


def _rule(rng: random.Random, suits: bool, phrases: _Phrases) -> tuple[Line, str]:
    if rng.random() < 0.4:
        return Line(rng.choice(PLAIN_RULES), role="cause", dropped=True), PLAIN_PHRASE[suits]
    phrase = phrases.draw(suits)
    text = rng.choice(EXPLICIT_RULES[suits]).format(phrase)
    return Line(text, role="cause", dropped=True), phrase


def _learnable(label: str, text: str, known: bool) -> Line:
    line = f"{label}: {text}"
    return Line(line, learn=((len(label) + 1, len(line)),) if known else ())
