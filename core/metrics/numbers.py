"""The numbers in a text, as exact fractions: signs, separators, percent, fractions, powers of ten, clock times.

A comma, an apostrophe, a blank or a full stop between groups of three digits separates thousands; where only
one separator stands and it is a comma before fewer or more than three digits, it is a decimal comma. The last
number of a text is what it comes to, unless one is marked (`#### 18`, `\\boxed{18}`). Two numbers are the same
where their values are, and a percentage also where the other is its share (0.5) or has no sign (50).
Marks: `####` as in GSM8K (Cobbe et al. 2021, arXiv 2110.14168), `\\boxed` as in MATH (Hendrycks et al. 2021).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from fractions import Fraction

import regex

MINUS = "\u2212\u2010\u2011\u2012\u2013\u2014\ufe63\uff0d"
"""Hyphens and dashes that people type for a minus."""
_BLANKS = "\u00a0\u2009\u202f\u2007"
_TRANSLATED = str.maketrans(
    {
        **dict.fromkeys(MINUS, "-"),
        **dict.fromkeys(_BLANKS, "\u00a0"),
        "\u066b": ".",
        "\u066c": ",",
        "\uff0c": ",",
        "\uff0e": ".",
        "\uff05": "%",
        "\u066a": "%",
        "\uff0f": "/",
        "\u2044": "/",
        "\uff1a": ":",
        "\u2019": "'",
        "\uff0b": "+",
    }
)
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_VULGAR = "".join(chr(c) for c in (*range(0xBC, 0xBF), *range(0x2150, 0x215F), 0x2189))
_GROUPED = (
    r"\d{1,3}(?:,\d{3})+(?!\d)|\d{1,3}(?:'\d{3})+(?!\d)|[1-9]\d{0,2}(?:[ \u00a0]\d{3})+(?![ \u00a0]?\d)"
    r"|\d{1,2}(?:,\d{2})+,\d{3}(?!\d)"
)
_EUROPEAN = r"\d{1,3}(?:\.\d{3}){2,}(?:,\d+)?(?!\d)|\d{1,3}(?:\.\d{3})+,\d+"
_DECIMAL_COMMA = r"(?:[1-9]\d{0,2}(?:[ \u00a0]\d{3})+|\d+),(?:\d{1,2}|\d{4,})(?![\d]|[.,]\d)"
_RAISED = "[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]"
RAISED = regex.compile(rf"(?<=\d){_RAISED}+")
_NUMBER = regex.compile(
    rf"""(?x)
    (?<![\p{{Latin}}\p{{Greek}}\p{{Cyrillic}}_\d]|\d\.)
    (?P<sign>(?<![\p{{L}}\d)\]%])[-+](?=[\p{{Sc}}\d.\\]) | (?<=[=(]\ ?)-\ )?
    (?P<currency>\p{{Sc}}\ ?)? (?P<inner>(?<=\p{{Sc}}\ ?)-)?
    (?:
        \\[dt]?frac\{{(?P<top>\d+)\}}\{{(?P<below>\d+)\}}
      | (?P<clock>\d{{1,2}}:[0-5]\d(?::[0-5]\d)?)(?![:\d])
      | (?:(?P<whole>\d+)[\ \u00a0-]?)?(?P<vulgar>[{_VULGAR}])
      | (?<!/\ ?)(?:(?P<mixed>\d+)\ )?(?P<numerator>\d+)\ ?/\ ?(?P<denominator>\d+)(?!\ ?/|[\d.,]*\d)
      | (?P<european>{_EUROPEAN})
      | (?<!\d,)(?P<comma>{_DECIMAL_COMMA})
      | (?P<plain>(?:{_GROUPED}|\d+)(?:\.\d+)?|\.\d+)
    )
    (?P<power>[eE][-+]?\d+(?![\w.]) | \ ?[x*\u00d7\u00b7\u22c5]\ ?10(?:\^\{{?[-+]?\d+\}}?|{_RAISED}+))?
    (?P<exponent>\^\{{?[-+]?\d{{1,2}}\}}?|{_RAISED}{{1,3}})?
    (?P<scale>\ ?(?i:thousand|million|billion|trillion)\b)?
    (?P<percent>\ ?\\?%|\ per\ ?cent\b|\ ?\u2030)?
    """
)
_MARKED = regex.compile(r"####\s*([^\n]*)|\\boxed\{((?:[^{}]|\{[^{}]*\})*)\}")
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_LONGEST_POWER = 400
_MOST_DIGITS = 400


@dataclass(frozen=True, slots=True)
class Number:
    """A number, where it stands (half-open characters) and how it was written."""

    value: Fraction
    text: str
    start: int
    stop: int
    percent: bool = False
    clock: bool = False
    currency: str = ""
    marked: bool = False

    def __str__(self) -> str:
        return self.text


def read(text: str) -> str:
    """`text` with one form for every minus, blank, separator and digit; as many characters as before."""
    if text.isascii():
        return text
    out = text.translate(_TRANSLATED)
    return regex.sub(r"(?![0-9])\p{Nd}", lambda found: str(unicodedata.digit(found[0])), out)


def numbers(text: str) -> list[Number]:
    """Every number in `text`, left to right; what is too long to be meant as one (400 digits) is left out."""
    shown = read(text)
    return [made for found in _NUMBER.finditer(shown) if (made := _number(found, text)) is not None]


def last_number(text: str) -> Number | None:
    """The number that `text` comes to: the first one behind its last mark, else its last one.

    Marks are `####` and `\\boxed{…}`; a mark without a number does not count.
    """
    for mark in reversed(list(_MARKED.finditer(text))):
        group = 1 if mark[1] is not None else 2
        if inside := numbers(mark[group]):
            one, at = inside[0] if group == 1 else inside[-1], mark.start(group)
            return replace(one, start=one.start + at, stop=one.stop + at, marked=True)
    found = numbers(text)
    return found[-1] if found else None


def same(one: Number, other: Number) -> bool:
    """Whether both say the same value; a percentage also equals its share, and its figure without the sign.

    A clock time equals only a clock time; currency signs count only where both have one.
    """
    if one.clock != other.clock or (one.currency and other.currency and one.currency != other.currency):
        return False
    values = [
        {n.value} if n.percent == other_percent else {n.value, n.value * 100 if n.percent else n.value}
        for n, other_percent in ((one, other.percent), (other, one.percent))
    ]
    return any(close(a, b) for a in values[0] for b in values[1])


def close(a: Fraction, b: Fraction) -> bool:
    """Equal but for what a float loses in writing: one part in 10⁹."""
    return a == b or abs(a - b) <= max(abs(a), abs(b)) * Fraction(1, 10**9)


def _number(found: regex.Match[str], text: str) -> Number | None:
    if len(found[0]) > _MOST_DIGITS:
        return None
    value = _value(found)
    if value is None:
        return None
    if found["power"]:
        size = int(raised_digits(regex.sub(r".*10\^?|[eE]", "", found["power"])))
        if abs(size) > _LONGEST_POWER:
            return None
        value *= Fraction(10) ** size
    if found["exponent"]:
        size = int(raised_digits(found["exponent"].lstrip("^")))
        if abs(size) * max(len(str(value)), 1) > 10 * _LONGEST_POWER or (not value and size < 0):
            return None
        value **= size
    if found["scale"]:
        value *= _SCALES[found["scale"].strip().lower()]
    if found["percent"]:
        value /= 1000 if "\u2030" in found["percent"] else 100
    if (found["sign"] or "").strip() == "-" or found["inner"]:
        value = -value
    start, stop = found.span()
    return Number(
        value,
        text[start:stop].strip(),
        start,
        stop,
        percent=bool(found["percent"]),
        clock=bool(found["clock"]),
        currency=(found["currency"] or "").strip(),
    )


def raised_digits(text: str) -> str:
    """An exponent, raised or in LaTeX's braces, as plain digits."""
    return text.translate(_SUPERSCRIPTS).strip("{}")


def _value(found: regex.Match[str]) -> Fraction | None:
    if found["clock"]:
        seconds = 0
        for part in found["clock"].split(":"):
            seconds = seconds * 60 + int(part)
        return Fraction(seconds)
    if found["vulgar"]:
        share = Fraction(unicodedata.numeric(found["vulgar"])).limit_denominator(10)
        return int(found["whole"] or 0) + share
    for over, under in (("top", "below"), ("numerator", "denominator")):
        if found[over]:
            below = int(found[under])
            return int(found["mixed"] or 0) + Fraction(int(found[over]), below) if below else None
    if found["european"]:
        return Fraction(found["european"].replace(".", "").replace(",", "."))
    if found["comma"]:
        return Fraction(regex.sub("[ \u00a0]", "", found["comma"]).replace(",", "."))
    return Fraction(regex.sub("[,' \u00a0]", "", found["plain"]))
