"""The token view: the response as buttons, the prompt in colour, its strongest parts as a ranked list.

Choosing or hovering a part of the response recolours the prompt in the browser, from scores that are there
already; Python learns of a choice afterwards. The browser's half is `core/token_view`,
mounted here by `st.components.v2`. Knows segments and scores; knows no model, job or store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import streamlit as st

from core import token_view
from core.records import Segment
from core.token_view import PANELS, Panel, Scores, chosen_weights, pack, prompt_id
from core.ui.salience_text.protocol import Action, SegmentChoice, choice, turn
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

WHY: tuple[Panel, ...] = ("question", "response", "editor", "causes")
"""The panels of the page that answers why: `why` says what stands in them."""
ACTIONS: Mapping[str, str] = {"remove": "Remove it and see", "edit": "Edit it and see"}
"""What a part of the prompt can be asked for, and the label of its button."""

_mount = st.components.v2.component(
    "whence_salience_text",
    html=token_view.html(),
    css=token_view.style(),
    js=f"{token_view.script()}\nexport default salienceText;",
    isolate_styles=False,
)


def salience_text(
    *,
    key: str,
    prompt_segments: Sequence[Segment] = (),
    response_segments: Sequence[Segment] = (),
    scores: Scores | None = None,
    selected: Sequence[int] = (),
    home: Sequence[int] = (),
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
    unmeasured: Sequence[int] = (),
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
    - `home`: response segments that a second click on the one that is chosen leads back to; none: it changes nothing.
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
    - What the model thought (`core.thinking`) is folded before the answer, also in the `stream`.
    - `unmeasured`: prompt segments that the method could not measure; a dash stands for their share.
    - `tail`: from this response segment on the answer is the next example; it is folded away.
    - `height`: pixels of the two-column layout; panels scroll within. On pages narrower than 900 pixels
      they stand one below the other.
    - `on_select`, `on_action`, `on_order`, `on_draft`: run before the page does; `choice(key)`, `order(key)` and
      `draft(key)` tell them what was chosen, pressed and typed.
    """
    answer = prompt_id(response_segments)
    wanted = tuple(sorted({int(i) for i in selected if 0 <= i < len(response_segments)}))
    teller = key if "response" in show else None
    name, forced, now = turn(link or key, teller, answer, wanted)
    drawn = not hold and bool({"prompt", "strongest", "editor"} & set(show))
    data = token_view.view_data(
        link=link or key,
        turn=name,
        forced=forced,
        response_segments=response_segments,
        prompt_segments=prompt_segments if drawn else None,
        scores=scores,
        show=list(show) if why else [panel for panel in PANELS if panel in show],
        signed=signed,
        sign_holds=sign_holds,
        unit=unit,
        units=units,
        style=style,
        strength=strength,
        of=of,
        actions=[(name, ACTIONS[name]) for name in actions],
        bars=bars,
        height=height,
        stream=stream,
        writing=writing,
        note=note,
        changed=changed,
        empty=empty,
        tail=tail,
        unmeasured=unmeasured,
    )
    if why is not None:
        data["why"] = why.wire()
    if home:
        data["home"] = list(home)
    _mount(
        key=key,
        data=data,
        on_selection_change=on_select or _nothing,
        on_action_change=on_action or _nothing,
        on_order_change=on_order or _nothing,
        on_draft_change=on_draft or _nothing,
        on_look_change=_nothing,
    )
    picked = choice(key)
    return SegmentChoice(now, picked.action if picked else None)


def _nothing() -> None:
    """Streamlit gives a state or trigger a name only where a callback is named for it."""
