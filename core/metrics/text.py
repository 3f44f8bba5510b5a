"""Words and language, for every script: what the text metrics compare.

Words are runs of letters, marks and digits, lower-cased; scripts written without spaces (Han, kana, Thai,
Lao, Khmer, Burmese) give one word a character. On ASCII text `words` is exactly the tokenizer of `rouge-
score`. Knows no metric.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import regex

UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_WORD = regex.compile(
    rf"(?V1)[{UNSPACED}]\p{{M}}*|[[\p{{L}}\p{{M}}\p{{N}}]--[{UNSPACED}]]+|\p{{Extended_Pictographic}}"
)
_ASCII_WORD = regex.compile(r"[a-z0-9]+")

LANGUAGES: tuple[tuple[str, str], ...] = (
    ("auto", "By the targets' script"),
    ("other", "With spaces between words"),
    ("zh", "Chinese"),
    ("ja", "Japanese"),
    ("ko", "Korean"),
    ("th", "Thai, Lao, Khmer or Burmese"),
)
_SCRIPTS = {
    "zh": regex.compile(r"\p{Han}"),
    "ja": regex.compile(r"[\p{Hiragana}\p{Katakana}]"),
    "ko": regex.compile(r"\p{Hangul}"),
    "th": regex.compile(r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"),
}
_ANY_LETTER = regex.compile(r"\p{L}")
_SAMPLE_CHARS = 100_000


def words(text: str) -> list[str]:
    """`text` as lower-case words; a pictograph is a word, punctuation is none."""
    lower = text.lower()
    if lower.isascii():
        return _ASCII_WORD.findall(lower)
    return _WORD.findall(unicodedata.normalize("NFC", lower))


def language_of(texts: Iterable[str]) -> str:
    """One of `LANGUAGES` (never "auto"): the script that most of the first 100,000 characters are in.

    Any kana at one in fifty letters makes Han text Japanese; "other" stands for every script with spaces.
    """
    sample = ""
    for text in texts:
        sample += text
        if len(sample) >= _SAMPLE_CHARS:
            break
    letters = len(_ANY_LETTER.findall(sample))
    if not letters:
        return "other"
    shares = {name: len(pattern.findall(sample)) / letters for name, pattern in _SCRIPTS.items()}
    if shares["zh"] + shares["ja"] > 0.5:
        return "ja" if shares["ja"] > 0.02 else "zh"
    best = max(("ko", "th"), key=lambda name: shares[name])
    return best if shares[best] > 0.5 else "other"
