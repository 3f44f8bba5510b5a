"""The sentences under the pictures: what each shows and what it does not. Knows no figure and no page."""

from __future__ import annotations

from core.figures.palette import Theme
from core.records import Reduce

NOT_TRUTH = "It does not mean that the text is correct, or was read more carefully."
NOTHING_DECISIVE = "Nothing decisive: no part of the prompt stands out."
REDUCED: dict[Reduce, str] = {
    "sum": "sum of token scores",
    "mean": "mean of token scores",
    "max": "score of the strongest token",
}
DELETION = (
    "How likely the answer stays while parts of the prompt are removed, the strongest first: the faster it "
    "falls, the better the map found what the answer rests on."
)


def map_caption(theme: Theme, signed: bool, sign_holds: bool = True) -> str:
    """The sentence that stands under every map; in the dark theme more influence is brighter.

    `sign_holds`: the method's sign may be read (`core.salience.Method`).
    """
    sides = ""
    if signed:
        sides = "Purple made the selected answer more likely, orange less likely. "
    if signed and not sign_holds:
        sides = "Colours differ by the sign, which is not reliable on real models: read the strength alone. "
    more = "Brighter" if theme == "dark" else "Darker"
    return f"{sides}{more}: the selected answer reacts more to this text. {NOT_TRUTH}"
