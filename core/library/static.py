"""An explanation as HTML that needs no script: what a notebook shows where no kernel runs.

Styles stand at the elements, because code hosts take style sheets away; text is dark on white in any theme. Everything
is escaped by the template.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from core.cause import less_likely
from core.figures import palette
from core.figures.style import percent
from core.records import Role

if TYPE_CHECKING:
    from core.library.explanation import Explanation


@cache
def _template() -> Template:
    folder = FileSystemLoader(Path(__file__).parent)
    return Environment(loader=folder, autoescape=True, undefined=StrictUndefined).get_template("static.html")


def to_static_html(explanation: Explanation, strongest: int = 5) -> str:
    """The chosen words as a question, the prompt in colour with the answer behind it, and its strongest parts."""
    shown = explanation.shown()
    pieces = []
    for segment, share in zip(shown.columns, shown.shares.tolist()):
        counts = segment.role is not Role.TEMPLATE
        seen = share if shown.coloured and counts else 0.0
        pieces.append(
            {
                "text": segment.text,
                "counts": counts,
                "colour": palette.colour(seen, shown.top, "light", shown.signed),
                "title": f"{explanation.names[segment.index]}: {percent(share)}" if counts else "template",
            }
        )
    top = [
        {
            "name": part.name,
            "text": f"{' '.join(part.text.split()):.100}",
            "share": percent(part.share),
            "effect": "not measured" if part.effect_nats is None else less_likely(part.effect_nats),
        }
        for part in explanation.top(strongest)
    ]
    made = f"{shown.model.name}, {shown.model.precision} · {shown.method} by {shown.granularity.lower()}"
    return _template().render(
        chosen=explanation.chosen.strip(),
        sentence=explanation.sentence,
        note=explanation.note,
        pieces=pieces,
        answer=explanation.tokens.response,
        top=top,
        made=made,
    )
