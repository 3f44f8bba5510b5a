"""Checks of the words: equals, contains, starts with, a regular expression, the length.

What is looked for is the text of the form, or the target where that is empty (one of several targets is enough).
"""

from __future__ import annotations

import regex

from core.checks.check import NO_TARGET, Check, Evidence, Options, Ruling, shortened, wanted
from core.errors import AppError
from core.expressions import compiled, matches
from core.family import Field
from core.metrics.contains import contains
from core.metrics.normalised import comparable
from core.segments import partition

_TEXT = Field(
    name="text",
    label="Text",
    kind="text",
    default="",
    description="Empty: the row's target; of several targets one is enough.",
)
_EXACTLY = Field(
    name="exactly",
    label="Letter by letter",
    kind="flag",
    default=False,
    description="Else case, punctuation, articles and spaces do not count; signs, decimals and units always do.",
)


def _named(options: Options) -> str:
    text = str(options.get("text") or "")
    return f"“{shortened(text)}”" if text.strip() else "the target"


def _any(evidence: Evidence, options: Options, fits: object, said: str) -> Ruling:
    looked_for = wanted(options, evidence)
    if not looked_for:
        return NO_TARGET
    hit = next((one for one in looked_for if fits(evidence.answer, one)), None)  # type: ignore[operator]
    if hit is not None:
        return Ruling("right", f"{said} “{shortened(hit)}”")
    listed = " or ".join(f"“{shortened(one)}”" for one in looked_for[:3])
    return Ruling("wrong", f"not: {said} {listed}")


def _equal(answer: str, text: str) -> bool:
    one, other = comparable(answer, text)
    return one == other


def _equals(evidence: Evidence, options: Options) -> Ruling:
    exactly = bool(options["exactly"])
    return _any(evidence, options, (lambda a, t: a.strip() == t.strip()) if exactly else _equal, "it is")


def _contains(evidence: Evidence, options: Options) -> Ruling:
    exactly = bool(options["exactly"])
    return _any(evidence, options, (lambda a, t: t in a) if exactly else contains, "it contains")


def _begins(answer: str, text: str) -> bool:
    one, other = comparable(answer, text)
    return one[: len(other)] == other


def _starts(evidence: Evidence, options: Options) -> Ruling:
    exactly = bool(options["exactly"])
    fits = (lambda a, t: a.lstrip().startswith(t)) if exactly else _begins
    return _any(evidence, options, fits, "it starts with")


def _pattern(options: Options) -> str:
    return ("(?i)" if options["any_case"] else "") + str(options["pattern"])


def _matches(evidence: Evidence, options: Options) -> Ruling:
    try:
        found = matches(_pattern(options), evidence.answer)
    except AppError as error:
        return Ruling("unsure", error.message)
    whole = bool(options["whole"])
    size = len(evidence.answer.strip())
    start = len(evidence.answer) - len(evidence.answer.lstrip())
    if whole:
        found = tuple(span for span in found if span[0] <= start and span[1] >= start + size)
    if not found:
        return Ruling(
            "wrong", "the expression fits nowhere" if not whole else "the expression does not fit all of it"
        )
    a, b = found[0]
    return Ruling("right", f"it fits “{shortened(evidence.answer[a:b])}”")


def _one_expression(options: Options) -> None:
    compiled(_pattern(options))


_UNITS = (("words", "words"), ("characters", "characters"), ("sentences", "sentences"), ("lines", "lines"))
_ANY_WORD = regex.compile(r"[\p{L}\p{N}]")


def _size(text: str, unit: str) -> int:
    text = text.strip()
    if unit == "characters":
        return len(text)
    if unit == "lines":
        return sum(bool(line.strip()) for line in text.splitlines())
    parts = partition(text, "word" if unit == "words" else "sentence")
    return sum(bool(_ANY_WORD.search(text[a:b])) for a, b in parts)


def _length(evidence: Evidence, options: Options) -> Ruling:
    unit, least, most = str(options["unit"]), int(options["least"] or 0), int(options["most"] or 0)
    size = _size(evidence.answer, unit)
    return Ruling.of(least <= size and (not most or size <= most), f"it has {size:,} {unit}")


def _sensible_length(options: Options) -> None:
    least, most = int(options["least"] or 0), int(options["most"] or 0)
    if not least and not most:
        raise AppError("A check of the length needs a least or a most.")
    if most and least > most:
        raise AppError(f"The least ({least:,}) should not be above the most ({most:,}).")


def _length_in_words(options: Options) -> str:
    least, most = int(options["least"] or 0), int(options["most"] or 0)
    if not most:
        return f"at least {least:,} {options['unit']}"
    return f"{least:,} to {most:,} {options['unit']}" if least else f"at most {most:,} {options['unit']}"


EQUALS = Check(
    name="equals",
    label="Is",
    description="The answer is this text, or the target.",
    find=_equals,
    fields=(_TEXT, _EXACTLY),
    in_words=_named,
)
CONTAINS = Check(
    name="contains",
    label="Contains",
    description="This text, or the target, stands in the answer: whole words and numbers (5 is not in -5 or 15).",
    find=_contains,
    fields=(_TEXT, _EXACTLY),
    in_words=_named,
)
STARTS_WITH = Check(
    name="starts_with",
    label="Starts with",
    description="The answer begins with this text, or with the target.",
    find=_starts,
    fields=(_TEXT, _EXACTLY),
    in_words=_named,
)
REGEX = Check(
    name="regex",
    label="Fits an expression",
    description="A regular expression is found in the answer; one that takes more than a second leaves it unsure.",
    find=_matches,
    fields=(
        Field(name="pattern", label="Regular expression", kind="line", default=""),
        Field(name="any_case", label="Upper and lower case alike", kind="flag", default=False),
        Field(name="whole", label="The whole answer", kind="flag", default=False),
    ),
    validate=_one_expression,
    in_words=lambda options: f"/{shortened(str(options['pattern']))}/",
)
LENGTH = Check(
    name="length",
    label="Length",
    description="The answer is no shorter and no longer than this.",
    find=_length,
    fields=(
        Field(name="unit", label="Counted in", kind="choice", default="words", choices=_UNITS),
        Field(name="least", label="At least", kind="number", default=0, maximum=1_000_000),
        Field(
            name="most",
            label="At most",
            kind="number",
            default=0,
            maximum=1_000_000,
            description="0: there is no limit.",
        ),
    ),
    validate=_sensible_length,
    in_words=_length_in_words,
)
