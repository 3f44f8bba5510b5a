"""Who decides what is selected: the person in the browser, or the page when it asks for something else.

A component's state in Streamlit is what the browser said last; the browser takes a selection from Python only
with a new *turn*. So unchanged data stays unchanged (nothing large travels again on a click), and no click is
undone of which Python hears later. Knows no text and no score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.ui.shell import state


@dataclass(frozen=True, slots=True)
class Action:
    """A button beside a part of the prompt was pressed: which one, and for which prompt segment."""

    name: str
    segment: int


@dataclass(frozen=True, slots=True)
class SegmentChoice:
    """Which response segments are selected (rising), and the action of this run, if there was one."""

    indices: tuple[int, ...]
    action: Action | None = None


def _told(key: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the browser last said: its selection, and this run's action (both perhaps empty)."""
    told = state.VIEW(key).get() or {}
    return told.get("selection") or {}, told.get("action") or {}


def choice(key: str) -> SegmentChoice | None:
    """What the browser said last through the view `key`; for callbacks, which run before the page does."""
    selection, action = _told(key)
    pressed = Action(action["action"], int(action["part"])) if action else None
    if not selection and not pressed:
        return None
    return SegmentChoice(tuple(int(i) for i in selection.get("indices", ())), pressed)


def turn(
    link: str, teller: str | None, text: str, selected: tuple[int, ...]
) -> tuple[str, tuple[int, ...], tuple[int, ...]]:
    """(turn, its selection, what is selected now): a new turn makes the browser take Python's selection.

    One starts with a new response, and when the page asks for another selection than both it asked for
    before and the browser has, so that a click that Python hears of later is never undone. `teller` is the
    key of the view through which the browser tells its selection (None: the one known).
    """
    past = state.VIEW_TURN(link).get() or {"count": 0, "text": None, "forced": (), "asked": ()}
    teller = teller or past.get("teller")
    told = _told(teller)[0] if teller else {}
    name = f"{past['text']}:{past['count']}"
    now = tuple(told["indices"]) if told.get("turn") == name else past.get("now", past["forced"])
    if past["text"] != text or selected not in (past["asked"], now):
        past = {"count": past["count"] + 1, "text": text, "forced": selected}
        now = selected
    state.VIEW_TURN(link).set({**past, "asked": selected, "now": now, "teller": teller})
    return f"{text}:{past['count']}", past["forced"], now
