"""The guided tour: four steps on the page, told with the story that is open; asked for again from the menu."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.records import Example
from core.ui.shell import state

Steps = list[tuple[str, str]]


def draw_tour_button() -> None:
    """The button that begins it anew, in the container that is open."""
    if st.button("Show the tour", type="tertiary", icon=":material/route:"):
        state.TOUR_ASKED_FOR.set(again() + 1)
        st.rerun()


def again() -> int:
    """How often it was asked for in this session."""
    return state.TOUR_ASKED_FOR.get(0)


STORIES = {
    "fewshot-mistake": "The guest avoids eggs, and still the model recommends the dish. "
    "The words in question are marked.",
}
"""What the first step says of a story that ships with Whence, by its source."""


def steps(answer: str, source: str, target: str | None, strongest: str, text: str) -> Steps:
    """(panel, sentence) of each step. `answer` is what the model wrote, `target` what was hoped for, `strongest`
    the name of the strongest part of the prompt and `text` its words.
    """
    wrong = bool((target or "").strip()) and not _same(answer, target or "")
    said = "This is what the model wrote" + (", not what was hoped for." if wrong else ".")
    first = STORIES.get(source) or f"{said} The words in question are marked."
    words = " ".join(text.split())
    short = words if len(words) <= 70 else f"{words[:66]}…"
    return [
        ("response .sv-text", f"{first} Click any other part of the answer to ask about that."),
        (
            "causes .sv-bars",
            f"It came mostly from {strongest}, “{short}”. “Find the cause” takes it out and measures.",
        ),
        (
            "sheet",
            "The prompt is one text, coloured and editable: mend that line right here, then press Run.",
        ),
        (
            "editor footer",
            "Then add a rule of your own, such as “Never recommend what the guest avoids.”, and run again: "
            "the page says what changed.",
        ),
    ]


def _same(one: str, other: str) -> bool:
    return " ".join(one.split()) == " ".join(other.split())


def tour_steps(
    answer: str,
    example: Example,
    names: Sequence[str],
    shares: Sequence[float],
    texts: Sequence[str],
) -> Steps:
    """The steps for the map on the screen; none where there is nothing to name."""
    if not shares or max(map(abs, shares)) == 0:
        return []
    part = max(range(len(shares)), key=lambda i: abs(shares[i]))
    return steps(answer, example.source, example.target, names[part], texts[part])
