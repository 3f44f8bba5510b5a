"""The texts of the token view, in plain words; what stands under every map comes from `core.figures`."""

from __future__ import annotations

from core.figures.captions import NOTHING_DECISIVE, map_caption


def words(dark: bool, signed: bool) -> dict[str, str]:
    """Every text that the browser's half may show, by name."""
    return {
        "caption": map_caption("dark" if dark else "light", signed),
        "flat": NOTHING_DECISIVE,
        "hint": "hover, click or drag a part",
        "later": "Once there is an answer, the prompt stands here in colour.",
        "afterwards": "Once there is an answer, the parts that it came from stand here, the strongest first.",
        "choose": "Choose a part of the answer",
        "computing": "Computing …",
        "unknown": "Not computed yet: click to see it",
        "share": "share of the whole influence" if not signed else "share, with its direction",
        "influence": "of the influence" if not signed else "of all influence for and against",
        "raw": "raw score",
        "little": "little",
        "much": "much",
        "upTo": ", up to",
        "against": "against",
        "supports": "for",
    }
