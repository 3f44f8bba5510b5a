"""Language: the answer is written in this one, as `py3langid` finds it (Lui & Baldwin 2012, "langid.py").

A short answer, or one between two languages, leaves it unsure: a language cannot be told from "OK".
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

import regex

from core.checks.check import Check, Evidence, Options, Ruling
from core.family import Field

LANGUAGES: tuple[tuple[str, str], ...] = (
    *(("en", "English"), ("ar", "Arabic"), ("bg", "Bulgarian"), ("bn", "Bengali"), ("ca", "Catalan")),
    *(
        ("cs", "Czech"),
        ("da", "Danish"),
        ("de", "German"),
        ("el", "Greek"),
        ("es", "Spanish"),
        ("et", "Estonian"),
    ),
    *(
        ("fa", "Persian"),
        ("fi", "Finnish"),
        ("fr", "French"),
        ("gu", "Gujarati"),
        ("he", "Hebrew"),
        ("hi", "Hindi"),
    ),
    *(("hr", "Croatian"), ("hu", "Hungarian"), ("id", "Indonesian"), ("it", "Italian"), ("ja", "Japanese")),
    *(("ko", "Korean"), ("lt", "Lithuanian"), ("lv", "Latvian"), ("ms", "Malay"), ("nl", "Dutch")),
    *(("no", "Norwegian"), ("pl", "Polish"), ("pt", "Portuguese"), ("ro", "Romanian"), ("ru", "Russian")),
    *(
        ("sk", "Slovak"),
        ("sl", "Slovenian"),
        ("sr", "Serbian"),
        ("sv", "Swedish"),
        ("sw", "Swahili"),
        ("ta", "Tamil"),
    ),
    *(("te", "Telugu"), ("th", "Thai"), ("tr", "Turkish"), ("uk", "Ukrainian"), ("ur", "Urdu")),
    *(("vi", "Vietnamese"), ("zh", "Chinese")),
)
LEAST_LETTERS = 12
LEAST_UNSPACED = 4
"""Letters of a script in which a word is one or two of them."""
SURE = 0.9
_LETTERS = regex.compile(r"\p{L}")
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}]")
_NAMES = dict(LANGUAGES)
_LOCK = threading.Lock()


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    made = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    made.set_languages([code for code in _NAMES if code in made.labels])
    return made


def language(text: str) -> tuple[str, float]:
    """(code of the likeliest of `LANGUAGES`, its probability by the model)."""
    with _LOCK:
        code, share = _identifier().classify(text)
    return str(code), float(share)


def _find(evidence: Evidence, options: Options) -> Ruling:
    letters, unspaced = len(_LETTERS.findall(evidence.answer)), len(_UNSPACED.findall(evidence.answer))
    if letters < LEAST_LETTERS and unspaced < LEAST_UNSPACED:
        return Ruling("unsure", f"{letters:,} letters are too few to tell a language")
    found, share = language(evidence.answer)
    told = f"it reads as {_NAMES.get(found, found)}"
    if share < SURE:
        return Ruling("unsure", f"{told}, but not surely ({share:.0%})")
    return Ruling.of(found == options["language"], told)


LANGUAGE = Check(
    name="language",
    label="Language",
    description="The answer is written in this language; one that is too short to tell is unsure.",
    find=_find,
    fields=(Field(name="language", label="Language", kind="choice", default="en", choices=LANGUAGES),),
    in_words=lambda options: _NAMES[str(options["language"])],
)
