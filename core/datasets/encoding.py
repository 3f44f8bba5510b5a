"""Bytes of a text file to text, with the encoding named.

UTF-8 first, then what a byte order mark says, then what charset-normalizer recognises among the usual
encodings. A guess is always told to the person; bytes that fit nothing are refused by name. A file that is
plainly UTF-8 with a few spoiled bytes stays UTF-8: the spoiled bytes become lone surrogates, which the rows
that hold them are then refused for.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from charset_normalizer import from_bytes

from core.errors import AppError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_USUAL = [
    *("utf_16", "cp1252", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1255", "cp1256"),
    *("shift_jis", "euc_jp", "gb18030", "big5", "euc_kr"),
]
_SAMPLE_BYTES = 20_000
_CLOSE = 0.02
"""Windows-1252 is taken when it is as likely as its rarer sisters, to this difference of disorder."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, the encoding it was read in, and a remark when that was a guess."""

    text: str
    encoding: str
    note: str = ""


def decode(data: bytes) -> Decoded:
    """`data` as text. Raises `AppError` for bytes that are text in no encoding known here."""
    for mark, codec, name in _MARKS:
        if data.startswith(mark):
            try:
                return Decoded(data.decode(codec), name)
            except UnicodeDecodeError as error:
                raise AppError(
                    f"The file says that it is {name}, but byte {error.start:,} does not fit.",
                    hint="Save it again as UTF-8.",
                    code="encoding",
                ) from error
    try:
        return Decoded(data.decode("utf-8"), "UTF-8")
    except UnicodeDecodeError as error:
        if _mostly_utf8(data):
            return Decoded(data.decode("utf-8", "surrogateescape"), "UTF-8")
        return _recognise(data, error.start)


def _mostly_utf8(data: bytes) -> bool:
    """Whether more lines hold good multi-byte UTF-8 than spoiled bytes."""
    good = spoiled = 0
    for line in data.split(b"\n"):
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
            good += 1
        except UnicodeDecodeError:
            spoiled += 1
    return good > spoiled


def _recognise(data: bytes, first: int) -> Decoded:
    begin = max(0, first - _SAMPLE_BYTES // 2)
    sample = data[begin - begin % 2 : begin + _SAMPLE_BYTES]
    guesses = from_bytes(sample, cp_isolation=_USUAL, threshold=0.2)
    best = guesses.best()
    western = next((guess for guess in guesses if guess.encoding == "cp1252"), None)
    if best and western and western.chaos <= best.chaos + _CLOSE:
        best = western
    if best is None:
        raise AppError(
            f"The file is not UTF-8 (byte {first:,} does not fit) and looks like no other text encoding.",
            hint="Save it as UTF-8. If it is a Parquet, zip or office file, its name should end that way.",
            code="encoding",
        )
    name = best.encoding
    try:
        text = data.decode(name)
    except UnicodeDecodeError as error:
        raise AppError(
            f"The file is not UTF-8; it looks like {label(name)}, but byte {error.start:,} does not fit.",
            hint="Save it as UTF-8.",
            code="encoding",
        ) from error
    remark = f"The file is not UTF-8; it was read as {label(name)}. If letters look wrong, save it as UTF-8."
    return Decoded(text, label(name), remark)


def label(codec: str) -> str:
    """A codec's name as people write it."""
    known = {
        "cp1252": "Windows-1252 (western European, Latin-1)",
        "cp1250": "Windows-1250 (central European)",
        "cp1251": "Windows-1251 (Cyrillic)",
        "koi8_r": "KOI8-R (Cyrillic)",
        "cp1253": "Windows-1253 (Greek)",
        "cp1255": "Windows-1255 (Hebrew)",
        "cp1256": "Windows-1256 (Arabic)",
        "utf_16": "UTF-16",
        "shift_jis": "Shift JIS (Japanese)",
        "euc_jp": "EUC-JP (Japanese)",
        "gb18030": "GB 18030 (Chinese)",
        "big5": "Big5 (Chinese)",
        "euc_kr": "EUC-KR (Korean)",
    }
    return known.get(codec, codec)
