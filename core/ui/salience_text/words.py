"""The sentences of the token view, in plain words. In a dark theme more influence is brighter, not darker."""

from __future__ import annotations

from core.records import Reduce

NOT_TRUTH = "It does not mean that the text is correct, or was read more carefully."
NOTHING_DECISIVE = "Nothing decisive: no part of the prompt stands out."
REDUCED: dict[Reduce, str] = {
    "sum": "sum of token scores",
    "mean": "mean of token scores",
    "max": "score of the strongest token",
}


def caption(dark: bool, signed: bool) -> str:
    """The sentence that stands under every map."""
    more = "Brighter" if dark else "Darker"
    sides = "Purple made the selected answer more likely, orange less likely. " if signed else ""
    return f"{sides}{more}: the selected answer reacts more to this text. {NOT_TRUTH}"


def words(dark: bool, signed: bool) -> dict[str, str]:
    """Every text that the browser's half may show, by name."""
    return {
        "caption": caption(dark, signed),
        "flat": NOTHING_DECISIVE,
        "choose": "Choose a part of the answer",
        "computing": "Computing …",
        "unknown": "Not computed yet: click to see it",
        "share": "share of the whole influence" if not signed else "share, with its direction",
        "influence": "of the influence" if not signed else "of all influence for and against",
        "raw": "raw score",
        "little": "little",
        "much": "much, up to",
        "against": "against",
        "supports": "for",
    }
