"""The token view: the response as buttons, the prompt in colour, its strongest parts as a ranked list.

Choosing or hovering a part of the response recolours the prompt in the browser, from scores that are there
already; Python learns of a choice afterwards. Written against `st.components.v2` (HTML, CSS and JavaScript in
this folder, joined here; nothing is built or fetched). Data reaches the page as text nodes only. Knows
segments and scores; knows no model, job or store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from core import aggregate
from core.figures import palette
from core.figures.captions import REDUCED
from core.records import Role, Segment
from core.ui.salience_text.names import part_names
from core.ui.salience_text.protocol import Action, SegmentChoice, choice, turn
from core.ui.salience_text.scores import Scores, chosen_weights, pack
from core.ui.salience_text.texts import FOLDED, utf16, words
from core.ui.salience_text.why import Card, ShownEffect, Why, draft, order

__all__ = [
    "WHY",
    "Action",
    "Card",
    "Scores",
    "SegmentChoice",
    "ShownEffect",
    "Why",
    "choice",
    "chosen_weights",
    "draft",
    "order",
    "pack",
    "prompt_id",
    "salience_text",
]

Panel = Literal["question", "response", "strongest", "prompt", "editor", "causes"]
PANELS: tuple[Panel, ...] = ("response", "strongest", "prompt")
WHY: tuple[Panel, ...] = ("question", "response", "editor", "causes")
"""The panels of the page that answers why: `why` says what stands in them."""
ACTIONS: Mapping[str, str] = {"remove": "Remove it and see", "edit": "Edit it and see"}
"""What a part of the prompt can be asked for, and the label of its button."""

_HERE = Path(__file__).parent
_SCRIPTS = (
    "scores.js",
    "panels.js",
    "changed.js",
    "response.js",
    "lines.js",
    "editor.js",
    "question.js",
    "causes.js",
    "tour.js",
    "main.js",
)
_STYLES = ("style.css", "why.css")


def _read(*names: str) -> str:
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


_mount = st.components.v2.component(
    "whence_salience_text",
    html=_read("view.html"),
    css=_read(*_STYLES),
    js=_read(*_SCRIPTS),
    isolate_styles=False,
)


def _digest(*parts: Any) -> str:
    return blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def prompt_id(segments: Sequence[Segment]) -> str:
    """What the browser calls the prompt that these parts make: an order names it."""
    return _digest([(s.text, s.role) for s in segments])


def salience_text(
    *,
    key: str,
    prompt_segments: Sequence[Segment] = (),
    response_segments: Sequence[Segment] = (),
    scores: Scores | None = None,
    selected: Sequence[int] = (),
    stream: str | None = None,
    writing: bool = True,
    signed: bool = False,
    sign_holds: bool = True,
    style: Literal["highlight", "underline"] = "highlight",
    strength: float = 0.5,
    unit: str = "line",
    units: str = "",
    note: str = "",
    changed: Sequence[tuple[int, int, str]] = (),
    empty: str = "Press Run, and the answer appears here.",
    actions: Sequence[str] = (),
    bars: int = 8,
    show: Sequence[Panel] = PANELS,
    why: Why | None = None,
    hold: bool = False,
    tail: int | None = None,
    link: str | None = None,
    of: str = "",
    height: int | None = 480,
    on_select: Callable[[], None] | None = None,
    on_action: Callable[[], None] | None = None,
    on_order: Callable[[], None] | None = None,
    on_draft: Callable[[], None] | None = None,
) -> SegmentChoice:
    """Draws the view and returns what is selected in it.

    - `prompt_segments`, `response_segments`: partitions of both texts. Template segments show grey, without
      score; they can be neither selected nor ranked.
    - `scores`: from `pack`; None while nothing is computed. Where the map of a selection is not in it, the
      view says "Computing …" until it comes; the same text is recoloured in place.
    - `selected`: response segments that the page wants selected. The browser follows when this changes;
      otherwise the person's own choice stands.
    - `stream`: the answer as plain text without buttons, with a caret while it is `writing`.
    - `strength`: 0 to 1, how soon colours show; 0.5 is proportional to the share.
    - `unit`: what the list calls a part ("line"); `units`: of the raw scores, told on hover.
    - `changed`: what another answer has not: (start, stop, `new` or `gone`), in characters of the answer.
    - `note`: one line under the answer; `empty`: shown where there is no answer.
    - `actions`: names from `ACTIONS`, as buttons beside the strongest or picked part.
    - `show`: which panels. Views with one `link` (default: `key`) share selection and hover in the browser:
      show the response in one place and the rest in another, each with a key of its own and the same link.
      Scores go to the view that shows the prompt; the selection comes back through the one that shows the
      response.
    - `of`: whose answer it is, where a page shows several; regions are named with it.
    - `why`: what the panels of `WHY` say beside the map. `hold`: the prompt and the map that the browser has
      stay as they are, because new ones are on their way.
    - `tail`: from this response segment on the answer is the next example; it is folded away.
    - `height`: pixels of the two-column layout; panels scroll within. On pages narrower than 900 pixels
      they stand one below the other.
    - `on_select`, `on_action`, `on_order`, `on_draft`: run before the page does; `choice(key)`, `order(key)` and
      `draft(key)` tell them what was chosen, pressed and typed.
    """
    answer = _digest([(s.text, s.role) for s in response_segments])
    wanted = tuple(sorted({int(i) for i in selected if 0 <= i < len(response_segments)}))
    teller = key if "response" in show else None
    name, forced, now = turn(link or key, teller, answer, wanted)
    both = {theme: {"ramp": palette.ramp(theme, signed), "underline": palette.UNDERLINE[theme],
                    "muted": palette.MUTED[theme]} for theme in palette.THEMES}  # fmt: skip
    data: dict[str, Any] = {
        "link": link or key,
        "turn": name,
        "selected": list(forced),
        "options": {
            "show": list(show) if why else [panel for panel in PANELS if panel in show],
            "of": of,
            "signed": signed,
            "direction": signed and sign_holds,
            "style": style,
            "strength": strength,
            "units": units,
            "reduced": REDUCED[scores.reduce] if scores and unit != "token" else "",
            "actions": [[name, ACTIONS[name]] for name in actions],
            "bars": bars,
            "height": height,
            "palette": both,
            "words": {
                "light": words(False, signed, sign_holds),
                "dark": words(True, signed, sign_holds),
            },
        },
    }
    data["response"] = {
        "id": answer,
        "texts": [s.text for s in response_segments],
        "keep": [s.role is not Role.TEMPLATE for s in response_segments],
        "stream": stream,
        "writing": writing,
        "note": note,
        "changed": utf16("".join(s.text for s in response_segments), changed),
        "empty": empty,
        "tail": tail,
        "folded": FOLDED,
    }
    if why is not None:
        data["why"] = why.wire()
    if not hold and {"prompt", "strongest", "editor"} & set(show):
        data["prompt"] = {
            "id": prompt_id(prompt_segments),
            "texts": [s.text for s in prompt_segments],
            "names": part_names(prompt_segments, unit),
            "keep": aggregate.countable(prompt_segments).tolist(),
        }
        data["scores"] = scores.wire if scores else None
    _mount(
        key=key,
        data=data,
        on_selection_change=on_select or _nothing,
        on_action_change=on_action or _nothing,
        on_order_change=on_order or _nothing,
        on_draft_change=on_draft or _nothing,
    )
    picked = choice(key)
    return SegmentChoice(now, picked.action if picked else None)


def _nothing() -> None:
    """Streamlit gives a state or trigger a name only where a callback is named for it."""
