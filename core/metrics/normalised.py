"""Texts as the words, numbers and signs that carry their meaning: what "the same but for …" means here.

SQuAD's normalisation (Rajpurkar et al. 2016, arXiv 1606.05250) in Unicode, but for what changes the meaning: it
drops every sign, so that -5 is 5, 3.5 is 35 and C++ is C. Here signs, decimals, operators, units and clock times
stay, and a number has one form, however it is written. Knows no metric.
"""

from __future__ import annotations

import unicodedata

import regex

from core.metrics.numbers import RAISED, raised_digits, read
from core.metrics.text import UNSPACED

_LETTER = rf"[[\p{{L}}\p{{M}}]--[{UNSPACED}]]"
_ALNUM = rf"[[\p{{L}}\p{{M}}\p{{N}}]--[{UNSPACED}]]"
_PIECE = regex.compile(
    rf"""(?V1)(?x)
    (?: (?<![\p{{L}}\p{{N}}%)\]}}])[-+](?=\.?\d) )? (?: \d+(?:[.,:'/]\d+)* | \.\d+ )   # a number, with its sign
  | [{UNSPACED}]\p{{M}}*                                                                 # a character is a word
  | {_LETTER}{_ALNUM}* (?: [-'_]{_LETTER}{_ALNUM}* )* (?: [+\#]+(?![\p{{L}}\p{{N}}]) )?  # e-mail, don't, C++, A+
  | \p{{Sc}}
  | -+(?=[\ ]?[\d(\p{{Sc}}]) | (?<![^\s(=<>*/+])[-!](?=\p{{L}}) | !?[+*/=<>^%&|~@]+       # operators and units
  | [\p{{Sm}}\p{{So}}]\p{{M}}*                                                           # other signs, pictures
    """
)
_BULLET = regex.compile(r"(?m)^[ \t]*[-*+•][ \t]+")
_FORMATTING = regex.compile(
    r"\*\*|__|`|(?<![\p{L}\p{N})])[*_]+(?=[-+.\p{L}\p{N}(\p{Sc}])|(?<=[\p{L}\p{N})%.!?,:])[*_]+(?![\p{L}\p{N}(])"
)
_ABBREVIATION = regex.compile(r"(?<![\p{L}\p{N}])((?:\p{L}\.)+\p{L})\b\.?")
_ARTICLE = regex.compile(
    r"(?<![\p{L}\p{N}'’-])(?:(?i:an|the)|a|(?<=(?:\A|[.!?\n])\s*[\"'“(]*)A)(?=\s+[\"'“(*]*[\p{L}\p{N}])"
)
_SIGN_BEFORE_CURRENCY = regex.compile(r"(?<![\p{L}\p{N}%)\]}])([-+])(\p{Sc}) ?(?=\.?\d)")
_VULGAR = regex.compile(r"(?<=\d)(?=[\xbc-\xbe\u2150-\u215e\u2189])")
_DECIMAL = regex.compile(
    r"([-+]?)((?:\d{1,3}(?:,\d{3})+|\d{1,3}(?:'\d{3})+|\d{1,2}(?:,\d{2})+,\d{3}|\d+)?)(?:\.(\d+))?"
)
_DECIMAL_COMMA = regex.compile(r"[-+]?\d+,(?:\d{1,2}|\d{4,})")
_CURRENCY = regex.compile(r"\p{Sc}")


def normalised_words(text: str) -> list[str]:
    """The words of `text` in lower case, its numbers and signs, each in one form.

    Left out: English articles before a word, quotation marks, brackets, the punctuation of sentences, formatting,
    apostrophes and hyphens within words. A currency sign is a piece of its own, so is a unit (`5kg` is `5 kg`).
    Text that is nothing but what is left out (a lone "?") stays as it is: it would compare equal to anything.
    """
    shown = _ARTICLE.sub("", text)
    if not text.isascii():
        shown = RAISED.sub(lambda found: f"^{raised_digits(found[0])}", _VULGAR.sub(" ", shown))
        shown = read(unicodedata.normalize("NFKC", shown))
    shown = _BULLET.sub("", _FORMATTING.sub("", shown)).casefold()
    shown = _ABBREVIATION.sub(lambda found: found[1].replace(".", ""), shown)
    shown = _SIGN_BEFORE_CURRENCY.sub(r"\2\1", shown)
    return [_one_form(piece) for piece in _PIECE.findall(shown)] or " ".join(text.casefold().split()).split()


def normalised(text: str) -> str:
    """`normalised_words` with a blank between them."""
    return " ".join(normalised_words(text))


def comparable(one: str, other: str) -> tuple[list[str], list[str]]:
    """The words of both; currency signs count only where both have some ($5 is 5, but not €5)."""
    first, second = normalised_words(one), normalised_words(other)
    signs = [any(map(_CURRENCY.fullmatch, words)) for words in (first, second)]
    if all(signs) or not any(signs):
        return first, second
    bare = ([word for word in words if not _CURRENCY.fullmatch(word)] for words in (first, second))
    return next(bare) or first, next(bare) or second


def _one_form(piece: str) -> str:
    if piece[-1].isdigit() and not piece[0].isalpha():
        if _DECIMAL_COMMA.fullmatch(piece):
            piece = piece.replace(",", ".")
        if found := _DECIMAL.fullmatch(piece):
            whole = regex.sub("[,']", "", found[2]).lstrip("0") or "0"
            part = (found[3] or "").rstrip("0")
            value = f"{whole}.{part}" if part else whole
            return f"-{value}" if found[1] == "-" and value != "0" else value
        return piece.lstrip("+")
    return regex.sub("[-'_]", "", piece) if piece[0].isalpha() else piece
