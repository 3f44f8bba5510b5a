"""The answers side by side: each can be clicked to choose what is explained; and how they differ in words."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.compare import word_diff
from core.records import Segment
from core.ui.asking import answering, target_choice
from core.ui.compare_page.run import Side, SideBySide
from core.ui.explaining import maps
from core.ui.explaining.controls import Cut
from core.ui.salience_text import choice, salience_text
from core.ui.shell import diff, problem


@dataclass(frozen=True, slots=True)
class ShownSides:
    """One side's texts in segments, and which response segments are being explained."""

    prompt: tuple[Segment, ...]
    response: tuple[Segment, ...]
    chosen: tuple[int, ...]


def draw(comparison: SideBySide, cut: Cut) -> dict[int, ShownSides]:
    """Draw the answers in columns. Returns what is shown of each side that has one, by place."""
    first = next((side.generation for side in comparison.sides if side.generation is not None), None)
    if first is not None:
        maps.parts_or_lines(
            first, cut.granularity, cut.pattern, tell=True
        )  # a fault of the expression: told once
    shown: dict[int, ShownSides] = {}
    columns = st.columns(min(len(comparison.sides), 2)) if len(comparison.sides) > 1 else [st.container()]
    for place, side in enumerate(comparison.sides):
        with columns[place % len(columns)]:
            st.markdown(f"**{problem.plain(side.name)}**")
            if side.error is not None:
                problem.show(side.error)
            elif side.generation is None:
                _writing(place, side)
            else:
                shown[place] = _answer(place, side, cut)
    if len(shown) > 1:
        _differences(comparison, list(shown))
    return shown


def _writing(place: int, side: Side) -> None:
    job = side.job
    text = (job.partial or "") if job is not None else ""
    said = "Waiting for its turn" if job is None or job.state == "queued" else job.message or "Starting"
    salience_text(
        key=f"answer-{place}", stream=text, note=said, show=("response",), of=side.name, height=None
    )


def _answer(place: int, side: Side, cut: Cut) -> ShownSides:
    generation = side.generation
    assert generation is not None
    tokens = generation.tokens
    here = maps.parts_or_lines(generation, cut.granularity, cut.pattern)
    prompt, response = here.prompt, here.response
    chosen = target_choice.keep(
        answering.target(tokens.response), response, tokens.response, tokens.prompt_chars
    )
    key = f"answer-{place}"

    def on_select() -> None:
        picked = choice(key)
        if picked is not None:
            answering.choose_target(
                target_choice.of(picked.indices, response, tokens.response, tokens.prompt_chars)
            )

    salience_text(
        key=key,
        prompt_segments=prompt,
        response_segments=response,
        selected=chosen,
        note=answering.facts(generation),
        show=("response",),
        link=f"compared-{place}",
        of=side.name,
        height=None,
        on_select=on_select,
    )
    return ShownSides(prompt, response, chosen)


def _differences(comparison: SideBySide, places: list[int]) -> None:
    """The answers against the first one, word by word."""
    first = comparison.sides[places[0]]
    assert first.generation is not None
    base = first.generation.tokens.response
    others = []
    for place in places[1:]:
        generation = comparison.sides[place].generation
        assert generation is not None
        others.append((comparison.sides[place], generation.tokens.response))
    name = problem.plain(first.name)
    if all(text == base for _, text in others):
        st.caption("All answers are the same, letter by letter.")
        return
    with st.expander(f"Words that differ from {name}", expanded=True):
        for side, text in others:
            st.caption(problem.plain(side.name))
            if text == base:
                st.write("The same answer.")
            else:
                diff.draw(word_diff(base, text))
