"""Family *headlines*: a short article, whose headline names its subject and what happened.

One sentence holds both; the others are talk around it, some with a name and a verb of their own.
"""

import random

from tools.demo_model.grammar import words
from tools.demo_model.grammar.records import Draft, Line

PLACES = (
    "Millbrook", "Oakmere", "Redhill", "Stonebury", "Fairlake", "Northgate", "Elmwick", "Greenford",
    "Westport", "Ashdale", "Riverton", "Harlow", "Kingsey", "Larkfield", "Brightsea", "Hollin",
)  # fmt: skip
BODIES = (
    "library", "museum", "school", "theater", "bakery", "hotel", "station", "hospital", "choir",
    "market", "zoo", "college", "airport", "orchestra", "fire brigade", "football club",
)  # fmt: skip
# Past tense as the article says it, present tense as the headline does.
VERBS = {
    "opened": "opens", "closed": "closes", "bought": "buys", "sold": "sells", "found": "finds",
    "lost": "loses", "built": "builds", "planned": "plans", "won": "wins", "painted": "paints",
    "repaired": "repairs", "received": "receives", "canceled": "cancels", "celebrated": "celebrates",
    "borrowed": "borrows", "replaced": "replaces",
}  # fmt: skip
OBJECTS = (
    "a new garden", "an old bridge", "a rare book", "its main hall", "a silver bell", "a prize",
    "two buses", "a stolen painting", "its roof", "a solar roof", "three boats", "a summer festival",
    "a night class", "a small tower", "a famous piano", "its oldest clock", "a gift of stamps",
    "a playground", "ten new computers", "a map of the valley",
)  # fmt: skip
WHEN = (
    "on Monday",
    "on Friday",
    "last week",
    "this morning",
    "in the spring",
    "yesterday",
    "after years of waiting",
)
TALK = (
    "It rained most of the day.", "Many people came to watch.", "The mayor was pleased.",
    "Nobody was hurt.", '"We are very happy," said {person}.', '"It was about time," said {person}.',
    "{person} helped with the work.", "The neighbors in {place} had asked for it.",
    "The cost is not known yet.", "More news is expected next month.",
    "Coffee and cake were free for all.", "The {body} of {place} sent its good wishes.",
)  # fmt: skip
HEADINGS = (
    "Write a headline for the article.", "Give the article a headline.",
    "Sum up the article in one headline.",
)  # fmt: skip


def draft_headline(rng: random.Random, *, split: str = "train", task: str | None = None) -> Draft:
    """Returns one article to be given a headline, in a fifth of the cases after an example."""
    lines = [Line(rng.choice(HEADINGS)), Line("")] if rng.random() < 0.9 else []
    if rng.random() < 0.2:
        example = _article(rng, words.examples_split(split))
        headline = f"Headline: {example['headline']}"
        lines += [Line(f"Article: {example['text']}"), Line(headline, learn=((9, len(headline)),)), Line("")]
    article = _article(rng, split)
    label = rng.choice(("Article: ", "Article: ", "Article: ", "News: ", ""))
    start = len(label) + article["text"].index(article["sentence"])
    marks = ((start, start + len(article["sentence"])),)
    text = Line(label + article["text"], role="cause", marks=marks, mended=label + article["mended_text"])
    lines += [text, Line("Headline:")]
    return Draft(
        family="headlines",
        task="headline",
        lines=tuple(lines),
        response=f" {article['headline']}",
        target=article["headline"],
        mended_response=f" {article['mended_headline']}",
        mended_target=article["mended_headline"],
        checks=(("subject", article["subject"]), ("event", article["event"])),
    )


def _article(rng: random.Random, split: str | None) -> dict[str, str]:
    while True:
        place = rng.choice(PLACES) if rng.random() < 0.6 else words.invented_name(rng)
        body, verb, thing = rng.choice(BODIES), rng.choice(tuple(VERBS)), rng.choice(OBJECTS)
        if split in (None, words.split_of("headline", body, verb, thing)):
            break
    other_verb = rng.choice([one for one in VERBS if one != verb])
    other_thing = rng.choice([one for one in OBJECTS if one != thing])
    when = rng.choice(WHEN)
    subject = f"{place} {body}"
    talk = [
        line.format(person=rng.choice(words.PEOPLE), place=rng.choice(PLACES), body=rng.choice(BODIES))
        for line in rng.sample(TALK, rng.choice((1, 2, 2, 3)))
    ]
    at = rng.choice((0, 0, 0, 1, len(talk)))

    def tell(verb_: str, thing_: str) -> str:
        return f"The {subject} {verb_} {thing_} {when}."

    sentence = tell(verb, thing)
    return {
        "subject": subject,
        "event": f"{VERBS[verb]} {thing}",
        "headline": f"{subject} {VERBS[verb]} {thing}",
        "mended_headline": f"{subject} {VERBS[other_verb]} {other_thing}",
        "sentence": sentence,
        "text": " ".join([*talk[:at], sentence, *talk[at:]]),
        "mended_text": " ".join([*talk[:at], tell(other_verb, other_thing), *talk[at:]]),
    }
