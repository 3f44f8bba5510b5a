"""The HTML report: one file that opens anywhere, without network, in the reader's light or dark theme.

The one place where Python makes HTML: everything goes through a template that escapes (jinja2), data for the
picture stands in a JSON block in which no character can end it, and a content security policy lets nothing
run but plotly.js and this page's own few lines, both known by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from core.figures import palette
from core.figures.captions import NOT_TRUTH, NOTHING_DECISIVE, REDUCED, map_caption
from core.figures.heatmap import salience_heatmap
from core.figures.style import percent
from core.records import Role, Segment
from core.report.shown import ShownMap

_HERE = Path(__file__).parent
_STRONGEST = 12
_MOST_CELLS = 40_000
"""Cells of the map beyond which it is left out: a browser would take seconds to draw it."""
_SCRIPT = Markup(
    """
const dark = matchMedia("(prefers-color-scheme: dark)");
const figures = JSON.parse(document.getElementById("figures").textContent);
function draw() {
  const figure = figures[dark.matches ? "dark" : "light"];
  Plotly.react("map", figure.data, figure.layout, {displayModeBar: false, responsive: true});
}
if (figures) { draw(); dark.addEventListener("change", draw); }
"""
)


@cache
def environment() -> Environment:
    """Where the templates are found; everything that goes through them is escaped."""
    return Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@cache
def _plotly() -> Markup:
    # Some tools end lines with CRLF; a browser hashes what it reads after turning those into LF.
    return Markup(get_plotlyjs().replace("\r\n", "\n").replace("</script", "<\\/script"))  # noqa: S704


def _json(data: Any) -> Markup:
    """JSON that can stand in a `<script>`: no `<`, `>` or `&` is left in it."""
    text = json.dumps(data, ensure_ascii=True)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704


def _figures(shown: ShownMap) -> dict[str, Any] | None:
    if not shown.rows or not 0 < shown.salience.values.size <= _MOST_CELLS:
        return None
    return {
        theme: json.loads(
            salience_heatmap(
                shown.salience,
                signed=shown.signed,
                units=shown.units,
                negligible=shown.negligible,
                theme=theme,
                selected=shown.target,
                clicks=False,
            ).to_json()
        )
        for theme in palette.THEMES
    }


def _colours(shown: ShownMap, share: float) -> dict[str, str]:
    return {theme: palette.colour(share, shown.top, theme, shown.signed) for theme in palette.THEMES}


def _piece(shown: ShownMap, segment: Segment, share: float) -> dict[str, Any]:
    seen = share if shown.coloured else 0.0
    level = min(1.0, abs(seen) / shown.top) if shown.top else 0.0
    return {
        "index": segment.index,
        "text": segment.text,
        "counts": segment.role is not Role.TEMPLATE,
        "share": f"{share:.4f}",
        "percent": percent(share),
        "colours": _colours(shown, seen),
        "underline": round(level * 4),
    }


def _entry(shown: ShownMap, segment: Segment, share: float, score: float) -> dict[str, Any]:
    first = abs(shown.ranked[0].share) or 1.0
    return {
        "text": segment.text.strip(),
        "percent": percent(share),
        "score": f"{score:.4g}",
        "length": f"{abs(share) / first * 100:.1f}",
        "against": share < 0,
    }


def to_html(shown: ShownMap) -> bytes:
    """The report as one file, UTF-8, about 5 MB (plotly.js is in it)."""
    figures = _figures(shown)
    model, params = shown.model, shown.params
    drawn = (
        "the likeliest token each time" if params.temperature == 0 else f"temperature {params.temperature:g}"
    )
    facts = {
        "Model": f"{model.name}{f' ({model.revision})' if model.revision else ''}",
        "Precision": f"{model.precision}, on {model.device}",
        "Method": f"{shown.method} ({shown.units})",
        "Parts": f"{shown.granularity.lower()}, {REDUCED[shown.salience.reduce]}",
        "Answer": f"at most {params.max_new_tokens:,} tokens, {drawn}",
        "Made": shown.made.strftime("%Y-%m-%d %H:%M %Z").strip(),
    }
    html = environment().get_template("page.html").render(
        title=f"Where this answer came from: {shown.example}",
        facts=facts,
        note=shown.note,
        target=shown.target_text.strip(),
        response=[
            {"text": s.text, "chosen": s.index in shown.target, "counts": s.role is not Role.TEMPLATE}
            for s in shown.rows
        ],
        strongest=[_entry(shown, r.segment, r.share, r.score) for r in shown.ranked[:_STRONGEST]],
        more=max(0, len(shown.ranked) - _STRONGEST),
        prompt=[_piece(shown, s, float(v)) for s, v in zip(shown.columns, shown.shares)],
        flat=NOTHING_DECISIVE if shown.flat else "",
        captions={theme: map_caption(theme, shown.signed, shown.sign_holds) for theme in palette.THEMES},
        not_truth=NOT_TRUTH,
        figures=_json(figures),
        has_map=figures is not None,
        plotly=_plotly(),
        script=_SCRIPT,
        hashes=(_hash(_plotly()), _hash(_SCRIPT)),
        palette=palette,
        top=percent(shown.top),
        ramp={theme: ", ".join(palette.ramp(theme, shown.signed)) for theme in palette.THEMES},
        signed=shown.signed,
    )  # fmt: skip
    return html.encode()
