"""Word replacer: puts other words in place of given ones, by rules (`core.counterfactuals.rules`)."""

from __future__ import annotations

import random
from collections.abc import Iterator

import regex

from core.counterfactuals.generator import Choices, Context, Edit, Generator, ordinal
from core.counterfactuals.rules import parse
from core.family import Field
from core.records import Example

_SPACED = r"[[\p{L}\p{M}\p{N}_]--[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]]"


def pattern(old: str, keep_case: bool, whole_word: bool) -> regex.Pattern[str]:
    """What finds `old`; word borders are asked for only beside letters of scripts that put spaces."""
    letter = regex.compile(_SPACED, regex.VERSION1)
    source = regex.escape(old)
    if whole_word and letter.match(old[0]):
        source = f"(?<!{_SPACED}){source}"
    if whole_word and letter.match(old[-1]):
        source = f"{source}(?!{_SPACED})"
    return regex.compile(source, regex.VERSION1 | (regex.IGNORECASE if keep_case else 0))


def in_case_of(found: str, new: str) -> str:
    """`new` written as `found` is: in capitals, with a capital first, or as it stands."""
    letters = [c for c in found if c.isalpha()]
    if len(letters) > 1 and found.isupper():
        return new.upper()
    if letters and letters[0].isupper() and new[:1].islower():
        return new[:1].upper() + new[1:]
    return new


def _edits(example: Example, choices: Choices, _rng: random.Random, _context: Context) -> Iterator[Edit]:
    keep_case = bool(choices["keep_case"])
    prompt = example.prompt
    for rule in parse(str(choices["rules"])):
        spans = [m.span() for m in pattern(rule.old, keep_case, bool(choices["whole_word"])).finditer(prompt)]
        if not spans:
            continue
        groups = [spans] if choices["occurrences"] == "all" else [[span] for span in spans]
        for new in rule.new:
            for number, group in enumerate(groups, start=1):
                where = f", {len(spans)} places" if len(group) > 1 else ""
                if len(groups) > 1:
                    where = f", the {ordinal(number)} of {len(spans)}"
                yield Edit(_replaced(prompt, group, new, keep_case), f"“{rule.old}” → “{new}”{where}")


def _replaced(prompt: str, spans: list[tuple[int, int]], new: str, keep_case: bool) -> str:
    out, at = [], 0
    for start, stop in spans:
        out += [prompt[at:start], in_case_of(prompt[start:stop], new) if keep_case else new]
        if not new and out[0].endswith(" ") and prompt[stop : stop + 1] == " ":
            stop += 1  # a word taken out leaves one space, not two
        at = stop
    return "".join([*out, prompt[at:]])


GENERATOR = Generator(
    name="word_replacer",
    label="Replace words",
    description="Puts other words in place of the ones you name, one replacement at a time.",
    edits=_edits,
    fields=(
        Field(
            name="rules",
            label="Rules",
            kind="text",
            default="great -> terrible | bad",
            description="One a line or parted by commas. Quote what holds a comma, a | or an arrow.",
        ),
        Field(
            name="keep_case",
            label="Keep capitals",
            kind="flag",
            default=True,
            description="Finds Great and GREAT too, and writes as they are.",
        ),
        Field(
            name="whole_word",
            label="Whole words only",
            kind="flag",
            default=True,
            description="“eat” is not found in “great”.",
        ),
        Field(
            name="occurrences",
            label="Occurrences",
            kind="choice",
            default="all",
            description="A word that stands in several places: change all at once, or one at a time.",
            choices=(("all", "All at once"), ("each", "One at a time")),
        ),
    ),
)
