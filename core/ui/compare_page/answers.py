"""The answers side by side, only the words that differ in colour, each with the verdict of its dataset's checks.

A click chooses what is explained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core import target_choice
from core.compare import word_diff
from core.read_turns import turns_not_read
from core.records import Segment
from core.ui.asking import answering, verdicts
from core.ui.compare_page.run import Side, SideBySide
from core.ui.explaining import maps
from core.ui.explaining.controls import Cut
from core.ui.salience_text import choice, salience_text
from core.ui.shell import problem, state


@dataclass(frozen=True, slots=True)
class ShownSides:
    """One side's texts in segments, and which response segments are being explained."""

    prompt: tuple[Segment, ...]
    response: tuple[Segment, ...]
    chosen: tuple[int, ...]


STICKY = """<style>
[data-testid="stLayoutWrapper"]:has(> .st-key-compared-answers) {
  position: sticky; top: 0; z-index: 90; background: var(--whence-page); padding-block: .25rem .5rem;
}
@media (max-width: 900px), (max-height: 700px) {
  [data-testid="stLayoutWrapper"]:has(> .st-key-compared-answers) { position: static; }
}
</style>"""
"""The answers stay in sight while one reads where they came from."""


def draw_answers(comparison: SideBySide, cut: Cut) -> dict[int, ShownSides]:
    """Draw the answers in columns. Returns what is shown of each side that has one, by place."""
    first = next((side.generation for side in comparison.sides if side.generation is not None), None)
    if first is not None:
        maps.parts_or_lines(
            first, cut.granularity, cut.pattern, tell=True
        )  # a fault of the expression: told once
    shown: dict[int, ShownSides] = {}
    marks = changed(
        [s.generation.tokens.response if s.generation is not None else None for s in comparison.sides]
    )
    st.html(STICKY)
    with st.container(key="compared-answers"):
        for place, column in enumerate(st.columns(len(comparison.sides))):
            side = comparison.sides[place]
            with column:
                st.markdown(f"**{problem.plain(side.name)}**")
                if side.error is not None:
                    problem.show_error(side.error)
                elif side.generation is None:
                    _writing(place, side)
                else:
                    shown[place] = _answer(place, side, cut, marks[place])
                    if comparison.answered:
                        verdicts.draw_verdict(side.example_id, side.generation)
    return shown


def changed(texts: Sequence[str | None]) -> list[list[tuple[int, int, str]]]:
    """What stands out in each text: words that the first has not ("new"), and in the first of two, words that the
    other has not ("gone"), as spans of characters.
    """
    base = next((text for text in texts if text is not None), "")
    found: list[list[tuple[int, int, str]]] = [[] for _ in texts]
    for place, text in enumerate(texts):
        if text is None or text == base:
            continue
        old = new = 0
        for run in word_diff(base, text):
            size = len(run.text)
            if run.change == "added":
                found[place].append((new, new + size, "new"))
            elif run.change == "removed" and len(texts) == 2:
                found[0].append((old, old + size, "gone"))
            old += size * (run.change != "added")
            new += size * (run.change != "removed")
    return found


def _writing(place: int, side: Side) -> None:
    job = side.job
    text = (job.partial or "") if job is not None else ""
    said = "Waiting for its turn" if job is None or job.state == "queued" else job.message or "Starting"
    salience_text(
        key=state.ANSWER_VIEW(place).name,
        stream=text,
        note=said,
        show=("response",),
        of=side.name,
        height=None,
    )


def _answer(place: int, side: Side, cut: Cut, marks: Sequence[tuple[int, int, str]]) -> ShownSides:
    generation = side.generation
    assert generation is not None
    tokens = generation.tokens
    here = maps.parts_or_lines(generation, cut.granularity, cut.pattern)
    prompt, response = here.prompt, here.response
    chosen = target_choice.carried_over(
        answering.target(tokens.response), response, tokens.response, tokens.prompt_chars
    )
    key = state.ANSWER_VIEW(place).name

    def on_select() -> None:
        picked = choice(key)
        if picked is not None:
            answering.choose_target(
                target_choice.target_of(picked.indices, response, tokens.response, tokens.prompt_chars)
            )

    salience_text(
        key=key,
        prompt_segments=prompt,
        response_segments=response,
        selected=chosen,
        note=answering.facts_of_answer(generation),
        changed=marks,
        show=("response",),
        link=f"compared-{place}",
        of=side.name,
        height=None,
        on_select=on_select,
    )
    for told in turns_not_read(tokens, side.prompt):
        st.caption(f":material/info: {problem.plain(told)}")
    return ShownSides(prompt, response, chosen)
