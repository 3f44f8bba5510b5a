"""Where words and sentences end, by Unicode's rules, in one pass over the text and under a clock.

Unicode Standard Annex #29, revision 45, sections 4.1.1 (words) and 5.1 (sentences), written as regular expressions over
the `regex` library's own property tables: possessive, so that no character is read more than a few times whatever the
text, and stopped by the clock as a person's own expression is. Knows nothing of segments.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import regex

from core.errors import AppError

SECONDS = 2.0
"""For one text at one granularity."""

# WB4: what follows a character without being one of its own.
_E = r"[\p{WB=Extend}\p{WB=Format}\p{WB=ZWJ}]*+"
_LETTER = r"[\p{WB=ALetter}\p{WB=Hebrew_Letter}]"
_QUOTE = r"['\p{WB=MidNumLet}]"
_RUN = (
    rf"(?:{_LETTER}{_E}(?:[\p{{WB=MidLetter}}\p{{WB=MidNumLet}}']{_E}(?={_LETTER}))?+"  # WB5, WB6, WB7
    rf"|\p{{WB=Numeric}}{_E}(?:[\p{{WB=MidNum}}\p{{WB=MidNumLet}}']{_E}(?=\p{{WB=Numeric}}))?+)"  # WB8, WB11, WB12
)
_HEBREW = rf"\p{{WB=Hebrew_Letter}}{_E}\"{_E}(?=\p{{WB=Hebrew_Letter}})"  # WB7b, WB7c
_LETTERS = rf"(?:{_HEBREW}|{_RUN})++"
_HEBREW_END = rf"(?:(?<=\p{{WB=Hebrew_Letter}}{_E})'{_E})?+"  # WB7a
_KATAKANA = rf"(?:\p{{WB=Katakana}}{_E})++"  # WB13
_JOINER = rf"(?:\p{{WB=ExtendNumLet}}{_E})++"  # WB13a, WB13b
_JOINED = rf"(?:(?<=\u200d)\p{{Extended_Pictographic}}{_E})*+"  # WB3c
_WORD = regex.compile(
    r"\r\n|[\r\n\p{WB=Newline}]|(?:"  # WB3, WB3a, WB3b
    rf"\p{{WB=WSegSpace}}++{_E}"  # WB3d
    rf"|(?:{_JOINER})?+(?:{_LETTERS}|{_KATAKANA})(?:{_JOINER}(?:{_LETTERS}|{_KATAKANA})?+)*+{_HEBREW_END}"
    rf"|{_JOINER}"
    rf"|\p{{WB=Regional_Indicator}}{_E}(?:\p{{WB=Regional_Indicator}}{_E})?+"  # WB15, WB16
    rf"|.{_E}"  # WB999
    rf"){_JOINED}",
    regex.VERSION1 | regex.DOTALL,
)

# SB5: what follows a character without being one of its own.
_F = r"[\p{SB=Extend}\p{SB=Format}]*+"
_ENDED = regex.compile(
    rf"(?:(?P<ATERM>\p{{SB=ATerm}})|\p{{SB=STerm}}){_F}"
    rf"(?P<CLOSE>(?:\p{{SB=Close}}{_F})*+)(?P<SPACE>(?:\p{{SB=Sp}}{_F})*+)(?:\r\n|[\r\n\p{{SB=Sep}}])?+",
    regex.VERSION1,
)
_GOES_ON = regex.compile(r"[\p{SB=SContinue}\p{SB=ATerm}\p{SB=STerm}]")  # SB8a
_LOWER_NEXT = regex.compile(  # SB8
    r"[^\p{SB=OLetter}\p{SB=Upper}\p{SB=Lower}\p{SB=ATerm}\p{SB=STerm}\p{SB=Sep}\r\n]*+\p{SB=Lower}",
    regex.VERSION1,
)
_LETTER_BEFORE = regex.compile(rf"(?<=[\p{{SB=Upper}}\p{{SB=Lower}}]{_F})", regex.VERSION1)
_UPPER = regex.compile(r"\p{SB=Upper}")
_NUMERIC = regex.compile(r"\p{SB=Numeric}")
_LINE_ENDS = "\r\n\x85\u2028\u2029"


class TextClock:
    """Time for one text: `left()` is what remains of it."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._until = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that remain. Raises: AppError when none do."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise self.over()
        return left

    def over(self) -> AppError:
        return AppError(
            f"Cutting the text took longer than {self._seconds:g} seconds, so it was stopped.",
            hint="Choose lines or paragraphs, or a shorter text.",
            code="too_long",
        )


def word_ends(text: str, clock: TextClock | None = None) -> Iterator[int]:
    """Where each word, run of spaces and other mark of `text` ends (UAX #29, 4.1.1), in order.

    Raises: AppError when the clock runs out.
    """
    clock = clock or TextClock()
    try:
        yield from (match.end() for match in _WORD.finditer(text, timeout=clock.left(), concurrent=True))
    except TimeoutError as error:
        raise clock.over() from error


def words(text: str) -> list[str]:
    """`text` cut at `word_ends`."""
    start, found = 0, []
    for end in word_ends(text):
        found.append(text[start:end])
        start = end
    return found


def sentence_ends(text: str, clock: TextClock | None = None) -> Iterator[int]:
    """Where each sentence of `text`, one line, ends (UAX #29, 5.1), in order; the last at its end.

    Raises: AppError when the clock runs out.
    """
    clock = clock or TextClock()
    try:
        for ended in _ENDED.finditer(text, timeout=clock.left(), concurrent=True):
            at = ended.end()
            if at < len(text) and not _continues(text, ended):
                yield at
            clock.left()
    except TimeoutError as error:
        raise clock.over() from error
    if text:
        yield len(text)


def _continues(text: str, ended: regex.Match[str]) -> bool:
    """Whether the sentence goes on after a full stop and the like (SB6, SB7, SB8, SB8a)."""
    at = ended.end()
    if text[at - 1] in _LINE_ENDS:
        return False
    if _GOES_ON.match(text, at):
        return True
    if ended["ATERM"] is None:
        return False
    if not ended["CLOSE"] and not ended["SPACE"]:
        if _NUMERIC.match(text, at):
            return True
        if _UPPER.match(text, at) and _LETTER_BEFORE.match(text, ended.start()):
            return True
    return _LOWER_NEXT.match(text, at) is not None
