"""The texts of the token view, in plain words; what stands under every map comes from `core.figures`."""

from __future__ import annotations

from collections.abc import Sequence

from core.figures.captions import NOTHING_DECISIVE, map_caption


def words(dark: bool, signed: bool, sign_holds: bool = True) -> dict[str, str]:
    """Every text that the browser's half may show, by name; no direction is told where the sign does not hold."""
    told = signed and sign_holds
    return {
        "caption": map_caption("dark" if dark else "light", signed, sign_holds),
        "flat": NOTHING_DECISIVE,
        "hint": "hover, click or drag a part",
        "later": "Once there is an answer, the prompt stands here in colour.",
        "afterwards": "Once there is an answer, the parts that it came from stand here, the strongest first.",
        "choose": "Choose a part of the answer",
        "computing": "Computing …",
        "unknown": "Not computed yet: click to see it",
        "share": "share of the prompt's influence" if not told else "share, with its direction",
        "influence": "of the influence" if not told else "of all influence for and against",
        "raw": "raw score",
        "little": "little",
        "much": "much",
        "upTo": ", up to",
        "against": "against" if sign_holds else "below 0",
        "supports": "for" if sign_holds else "above 0",
        **PAGE,
    }


PAGE = {
    "why": "Why did it write",
    "mostly": "Mostly because of {part} ({share} of the influence).",
    "none": "No single part decides: the influence is spread.",
    "lone": "The prompt is one part here, so there is nothing to compare it with.",
    "unmeasured": "not measured yet",
    "strongest": "Strongest parts",
    "shareColumn": "share",
    "effect": "when taken out",
    "takeOut": "Take out",
    "edit": "Edit",
    "lock": "Always keep in",
    "unlock": "May be taken out",
    "measure": "Measure",
    "own": "Show what it had already written",
    "notOwn": "Hide what it had already written",
    "rest": "{n} more, {share} together",
    "fewer": "Show fewer",
    "run": "Run",
    "stop": "Stop",
    "line": "line",
    "edited": "edited, not run yet",
    "tokens": "{n} tokens",
    "tokensOf": "{n} of {limit} tokens",
    "hiddenOne": "1 hidden character",
    "hidden": "{n} hidden characters",
    "unhide": "Remove them",
}
"""What the page that answers why says; `{…}` is filled in by the browser."""


def utf16(text: str, spans: Sequence[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Spans of characters as the browser counts them: in UTF-16 units."""

    def units(at: int) -> int:
        return len(text[:at].encode("utf-16-le", "surrogatepass")) // 2

    return [(units(start), units(stop), kind) for start, stop, kind in spans]


FOLDED = "… goes on with the next example"
"""The button before what is folded away of an answer."""


def thinking(thought: str, *, ended: bool) -> str:
    """The button before what the model thought; it says so where the thinking never came to an answer."""
    count = len(thought.split())
    words = f"{count:,} word{'' if count == 1 else 's'}"
    return f"Thinking, {words}" if ended else f"Thinking, {words}, and no answer yet"
