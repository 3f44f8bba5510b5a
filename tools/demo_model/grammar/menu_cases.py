"""Guests, dishes and verdicts of the *menu* family, and the analysis that reads them.

The analysis restates the restriction and reads the dish's ingredients one by one, so that every step is
reading. Knows nothing of examples, principles or recommendations.
"""

import random
from dataclasses import dataclass

from tools.demo_model.grammar import words
from tools.demo_model.grammar.records import Line

VERDICT = {True: "So it suits the guest.", False: "So it does not suit the guest."}

LIKES = ("Likes", "Likes", "Enjoys", "Taste-likes", "Favorite")
AVOIDS = ("Avoids", "Avoids", "Cannot eat", "Dislikes", "Taste-dislikes", "Allergic to", "Does not eat")
DIET = ("Diet", "Diet", "Eats", "Guest")
DISH = ("Dish", "Dish", "Menu item", "Suggestion", "Plate")
ANALYSIS = ("Analysis", "Analysis", "Analysis", "Analysis", "Reasoning")
RECOMMENDATION = ("Recommendation", "Recommendation", "Recommendation", "Recommendation", "Advice")
LIKED = ("strong flavors", "simple food", "warm meals", "something crunchy", "fresh herbs")


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
