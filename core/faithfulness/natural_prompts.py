"""Prompts in plain English with a planted cause: facts among many, few-shot contradictions, instructions, copies.

Everything is drawn from word lists by a seed; people, places and things are invented, so that no model can know
them. Each prompt says where its cause stands, what the model should then write, and how it reads mended (the
cause says something else; an instruction is left out). Whether a model obeys is for `core.faithfulness.verify`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from core.faithfulness.planted import Case

FIRST = (
    "Orla", "Pavel", "Mina", "Tobias", "Greta", "Ivo", "Sela", "Dorin", "Abel", "Runa", "Nils", "Ottilie", "Bram",
    "Fenna", "Kasimir", "Lorna", "Matteo", "Nadja", "Oskar", "Petra", "Quentin", "Rosalie", "Stellan", "Tilda",
    "Ugo", "Valeria", "Wendel", "Yara", "Zeno", "Ada", "Bertil", "Corin", "Delia", "Emeric", "Flora", "Gustav",
    "Helga", "Ismael", "Jorun", "Keld", "Livia", "Magnus", "Nora", "Osmund", "Pia", "Rafael", "Signe", "Teodor",
    "Una", "Viggo",
)  # fmt: skip
LAST = (
    "Tennick", "Rush", "Sorrel", "Ferd", "Holm", "Lank", "Moor", "Vale", "Finch", "Birk", "Ode", "Castellan",
    "Drumm", "Eskild", "Farrow", "Grell", "Hask", "Inver", "Jolt", "Kestrel", "Lunde", "Marrow", "Nettle",
    "Orchard", "Pell", "Quarry", "Rook", "Salter", "Thorn", "Underhill", "Vance", "Wick", "Yarrow", "Zell",
    "Ashdown", "Brack", "Croft", "Dunmore", "Elder", "Fenwick", "Gorse", "Harl", "Islip", "Jarrow", "Kell", "Larch",
    "Mott", "Nash", "Oakes", "Pryce",
)  # fmt: skip
KINDS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    (
        "repairs", "What does {who} repair?", "{who} repairs",
        ("clocks", "violins", "bicycles", "radios", "boats", "cameras", "shoes", "chairs", "lamps", "carpets",
         "engines", "windows", "pianos", "umbrellas", "roofs", "kites", "tents", "dolls"),
    ),
    (
        "lives in", "Where does {who} live?", "{who} lives in",
        ("Lisbon", "Oslo", "Cairo", "Toronto", "Madrid", "Dublin", "Athens", "Vienna", "Berlin", "Seoul", "Lima",
         "Boston", "Prague", "Geneva", "Havana", "Tokyo", "Warsaw", "Milan"),
    ),
    (
        "keeps", "What animal does {who} keep?", "{who} keeps",
        ("bees", "goats", "ducks", "rabbits", "horses", "pigeons", "geese", "ponies", "parrots", "lizards", "turtles",
         "sheep", "hens", "ferrets", "snails", "donkeys", "llamas", "swans"),
    ),
    (
        "plays the", "Which instrument does {who} play?", "{who} plays the",
        ("cello", "flute", "harp", "drums", "trumpet", "violin", "guitar", "organ", "banjo", "clarinet", "piano",
         "accordion", "oboe", "tuba", "saxophone", "trombone"),
    ),
    (
        "grows", "What does {who} grow?", "{who} grows",
        ("pears", "roses", "onions", "tomatoes", "beans", "grapes", "carrots", "plums", "cherries", "tulips", "barley",
         "mint", "garlic", "apples", "pumpkins", "lemons"),
    ),
)  # fmt: skip
EXTRA = ("on the hill", "near the harbour", "since last spring", "behind the mill", "every summer", "with her brother",
         "for a living", "next to the church", "", "", "")  # fmt: skip
HEADINGS = (
    "Facts about the people of {town}:",
    "Notes from {town}:",
    "What we know about {town}:",
    "{town}, people:",
)
TOWNS = ("Brindle", "Harrow Bay", "Oldmere", "Tarnwick", "Lower Fenn", "Caster Hill", "Pellworth", "Ninepins")
SECOND = ("Everybody knows that {who} {verb} {what}.", "As her neighbours say, {who} {verb} {what}.",
          "By the way, {who} {verb} {what}.")  # fmt: skip

DISHES = (
    "Onion soup", "Mushroom risotto", "Apple pie", "Fish stew", "Lentil curry", "Roast chicken", "Pumpkin ravioli",
    "Beef noodles", "Spinach quiche", "Peach sorbet", "Potato salad", "Prawn tacos", "Walnut cake",
    "Goat cheese tart", "Tomato bisque", "Pork dumplings",
)  # fmt: skip
DISLIKES = ("cheese", "garlic", "nuts", "seafood", "onions", "mushrooms", "cream", "pepper", "eggs", "olives")
LIKES = (
    "spicy food",
    "fresh herbs",
    "sweet things",
    "warm bread",
    "crisp salads",
    "smoky flavours",
    "sour fruit",
)
GOOD, FINE, BAD = "You have to try it.", "A fine choice for you.", "You should avoid it."

OPPOSITES = (
    ("The opposite of hot is", "cold"), ("The opposite of up is", "down"), ("Monday, Tuesday, Wednesday,", "Thursday"),
    ("one, two, three, four,", "five"), ("The capital of France is", "Paris"), ("A, B, C, D,", "E"),
    ("January, February, March,", "April"), ("The opposite of black is", "white"), ("The sun rises in the", "east"),
    ("The opposite of left is", "right"), ("The capital of Italy is", "Rome"), ("spring, summer, autumn,", "winter"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NaturalTask:
    """One kind of prompt. `causes`: lines that cause the answer; `wanted`: what the search should say."""

    key: str
    label: str
    causes: int
    draw: Callable[[random.Random], Case]
    longest: int = 6
    """Tokens of an answer."""
    chat: bool = False


def _people(rng: random.Random, count: int) -> list[str]:
    return [f"{a} {b}" for a, b in zip(rng.sample(FIRST, count), rng.sample(LAST, count))]


def _joined(lines: list[str], causes: list[int]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The text of `lines` and the character spans of those that cause."""
    starts, at = [], 0
    for line in lines:
        starts.append(at)
        at += len(line) + 1
    return "\n".join(lines), tuple((starts[i], starts[i] + len(lines[i])) for i in causes)


def facts(count: int, copies: int = 1) -> Callable[[random.Random], Case]:
    """A fact asked for, stated `copies` times among `count`."""

    def draw(rng: random.Random) -> Case:
        people = _people(rng, count)
        asked = rng.choice(people)
        verb, question, cue, things = rng.choice(KINDS)
        what, other = rng.sample(things, 2)
        lines, causes = [rng.choice(HEADINGS).format(town=rng.choice(TOWNS))], []
        for who in people:
            kind = (verb, question, cue, things) if who == asked else rng.choice(KINDS)
            thing = what if who == asked else rng.choice([t for t in kind[3] if t not in (what, other)])
            if who == asked:
                causes.append(len(lines))
            lines.append(f"{who} {kind[0]} {thing} {rng.choice(EXTRA)}".rstrip() + ".")
        for _ in range(copies - 1):
            place = rng.randrange(1, len(lines) + 1)
            causes = [c + (c >= place) for c in causes] + [place]
            lines.insert(place, rng.choice(SECOND).format(who=asked, verb=verb, what=what))
        tail = ["", f"Question: {question.format(who=asked)}", f"Answer: {cue.format(who=asked)}"]
        mended = [line.replace(what, other) if i in causes else line for i, line in enumerate(lines)]
        prompt, spans = _joined(lines + tail, causes)
        return Case(prompt, what, spans, "\n".join(mended + tail))

    return draw


def contradiction(written: bool) -> Callable[[random.Random], Case]:
    """Few-shot tasting notes of which one recommends what its analysis speaks against; the last dish is like it.

    The other examples recommend in other words, so that the copied words have one source. `written`: the model
    writes the analysis itself, and the recommendation after it.
    """

    def draw(rng: random.Random) -> Case:
        kinds = ["wrong", *["good"] * rng.randint(1, 3)]
        rng.shuffle(kinds)
        dishes, bad = rng.sample(DISHES, len(kinds) + 1), rng.choice(DISLIKES)
        lines, mended, causes = ["Recommend dishes by what people like.", ""], [], []
        for dish, kind in zip(dishes, kinds):
            dislike = bad if kind == "wrong" else rng.choice([d for d in DISLIKES if d != bad])
            note = (
                f"it has {dislike}, which you dislike."
                if kind != "good"
                else f"it has {rng.choice(LIKES)}, which you like."
            )
            lines += [
                f"Likes: {rng.choice(LIKES)}",
                f"Dislikes: {dislike}",
                f"Dish: {dish}",
                f"Analysis: {note}",
                f"Recommendation: {GOOD if kind == 'wrong' else FINE}",
                "",
            ]
            if kind == "wrong":
                causes.append(len(lines) - 2)
        tail = [f"Likes: {rng.choice(LIKES)}", f"Dislikes: {bad}", f"Dish: {dishes[-1]}"]
        tail += (
            ["Analysis:"] if written else [f"Analysis: it has {bad}, which you dislike.", "Recommendation:"]
        )
        mended = [line if i not in causes else f"Recommendation: {BAD}" for i, line in enumerate(lines)]
        prompt, spans = _joined(lines + tail, causes)
        return Case(prompt, GOOD, spans, "\n".join(mended + tail))

    return draw


def instruction(rng: random.Random) -> Case:
    """A rule among rules that decides the form of the answer."""
    kind = rng.choice(("language", "language", "capitals", "closing"))
    topic = rng.choice(
        ("the sea", "winter", "a good friend", "bread", "the moon", "music", "rain", "mountains")
    )
    rules = [
        "Be polite.",
        "Write one sentence.",
        "Do not use numbers.",
        "Think about the reader.",
        "Be concrete.",
    ]
    rule, target = {
        "language": ("Answer in Spanish.", ""),
        "capitals": ("Write everything in CAPITAL LETTERS.", ""),
        "closing": ("End with the word Thanks.", "Thanks"),
    }[kind]
    chosen = rng.sample(rules, 3)
    place = rng.randrange(4)
    lines = ["Rules:", *chosen[:place], rule, *chosen[place:], "", f"What can you say about {topic}?"]
    prompt, spans = _joined(lines, [1 + place])
    return Case(prompt, target, spans, "\n".join(line for i, line in enumerate(lines) if i != 1 + place))


def no_cause(rng: random.Random) -> Case:
    """Facts that have nothing to do with what is continued."""
    case = facts(rng.choice((6, 8, 12)))(rng)
    cue, target = rng.choice(OPPOSITES)
    return Case(f"{case.prompt.split(chr(10) + chr(10))[0]}\n\n{cue}", target)


TASKS: tuple[NaturalTask, ...] = (
    NaturalTask("facts_8", "the fact asked for, among 8", 1, facts(8)),
    NaturalTask("facts_20", "the fact asked for, among 20", 1, facts(20)),
    NaturalTask("facts_50", "the fact asked for, among 50", 1, facts(50)),
    NaturalTask("fewshot_given", "the example that recommends against its analysis (analysis given)", 1,
                contradiction(written=False), longest=8),
    NaturalTask("fewshot_written", "the same, the analysis written by the model", 1, contradiction(written=True),
                longest=32),
    NaturalTask("instruction", "the rule that decides the answer's form", 1, instruction, longest=24, chat=True),
    NaturalTask("copies", "two copies of the fact asked for, among 14", 2, facts(13, copies=2)),
    NaturalTask("no_cause", "nothing in the prompt that may be taken out", 0, no_cause, longest=4),
)  # fmt: skip
