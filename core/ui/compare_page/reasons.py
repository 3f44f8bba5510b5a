"""Where each model's answer came from: bars on one axis, maps on one scale, agreement, and the difference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core import aggregate
from core.compare import agreement, difference
from core.figures.heatmap import difference_heatmap
from core.figures.models import model_bars
from core.records import Reduce, SalienceMatrix, SegmentSalience
from core.salience import Method
from core.ui.compare_page.answers import ShownSides
from core.ui.compare_page.run import SideBySide
from core.ui.explaining.controls import Cut, Look
from core.ui.explaining.maps import Parts, column_scores, scores_of
from core.ui.salience_text import salience_text
from core.ui.shell import frame, problem

Floats = NDArray[np.float32]
LABELS_PX, COLUMN_PX = 330, 20
"""What the difference map needs: beside its cells, and for each of its columns."""


def draw(comparison: SideBySide, shown: dict[int, ShownSides], method: Method, cut: Cut, look: Look) -> None:
    """Draw the maps that are ready; the others say what they wait for."""
    st.subheader("Where it came from", anchor=False)
    found: dict[int, SalienceMatrix] = {}
    for place in shown:
        matrix = comparison.matrix(place, method, cut)
        if matrix is not None:
            found[place] = matrix
        elif (error := comparison.map_error(place, method, cut)) is not None:
            st.caption(problem.plain(f"{comparison.sides[place].name}: {error}"))
    if not found:
        return
    scores = {
        place: column_scores(
            matrix, Parts(shown[place].prompt, shown[place].response), _rows(shown[place]), look.reduce
        )
        for place, matrix in found.items()
    }
    shares = {
        place: aggregate.shares(values, aggregate.countable(shown[place].prompt))
        for place, values in scores.items()
    }
    if comparison.one_prompt:
        _bars(comparison, shown, shares)
    _maps(comparison, shown, found, shares, method, cut, look)
    if len(found) > 1:
        _pairs(comparison, shown, found, scores, look.reduce)


def _rows(side: ShownSides) -> tuple[int, ...]:
    return side.chosen or tuple(range(len(side.response)))


def _bars(comparison: SideBySide, shown: dict[int, ShownSides], shares: dict[int, Floats]) -> None:
    """Bars of all models that cut the prompt into the same parts."""
    first = next(iter(shares))
    texts = [s.text for s in shown[first].prompt]
    alike = [p for p in shares if [s.text for s in shown[p].prompt] == texts]
    keep = np.flatnonzero(aggregate.countable(shown[first].prompt))
    st.plotly_chart(
        model_bars(
            [comparison.sides[p].name for p in alike],
            [shown[first].prompt[i] for i in keep],
            np.array([shares[p][keep] for p in alike]),
            theme=frame.theme(),
        ),
        theme=None,
        key="model-bars",
        alt="Share of each part of the prompt, for each model",
    )
    explained = " ".join(shown[first].response[i].text.strip() for i in _rows(shown[first]))
    st.caption(
        problem.plain(f"Explaining “{explained[:120]}” and what matches it in the other answers. ")
        + "Click a part of an answer to explain that. All bars share one axis. Influence on this answer, "
        "not truth."
    )
    for place in shares:
        if place not in alike:
            st.caption(
                problem.plain(
                    f"{comparison.sides[place].name} cuts the prompt into other parts here; its map "
                    "stands below. Choose lines or sentences to see all in one chart."
                )
            )


def _maps(
    comparison: SideBySide,
    shown: dict[int, ShownSides],
    found: dict[int, SalienceMatrix],
    shares: dict[int, Floats],
    method: Method,
    cut: Cut,
    look: Look,
) -> None:
    """The prompt in colour for each model, all on the scale of the strongest."""
    top = max(aggregate.scale_top(s, aggregate.countable(shown[p].prompt)) for p, s in shares.items())
    columns = st.columns(min(len(found), 2))
    for at, place in enumerate(found):
        side = shown[place]
        packed = scores_of(found[place], Parts(side.prompt, side.response), _rows(side), look.reduce)
        with columns[at % len(columns)]:
            st.markdown(f"**{problem.plain(comparison.sides[place].name)}**")
            salience_text(
                key=f"map-{place}",
                prompt_segments=side.prompt,
                response_segments=side.response,
                scores=replace(packed, least_top=top),
                selected=_rows(side),
                signed=method.signed,
                style=look.style,
                strength=look.strength,
                unit=cut.unit,
                units=method.units,
                show=("prompt",),
                link=f"compared-{place}",
                of=comparison.sides[place].name,
                height=420,
            )
            if found[place].note:
                st.caption(problem.plain(found[place].note))
    st.caption("All maps share one colour scale.")


def _pairs(
    comparison: SideBySide,
    shown: dict[int, ShownSides],
    found: dict[int, SalienceMatrix],
    scores: dict[int, Floats],
    reduce: Reduce,
) -> None:
    """Agreement of each model with the first one, and what differs."""
    places = list(found)
    names = {p: comparison.sides[p].name for p in places}
    base = places[0]
    st.subheader("How far they agree", anchor=False)
    wholes = {p: _one_row(shown[p], scores[p]) for p in places}
    for place in places[1:]:
        value = agreement(wholes[base], wholes[place])[0]
        said = "too few parts to tell" if value is None else f"{value:.2f}"
        st.write(problem.plain(f"{names[base]} and {names[place]}: {said}"))
    st.caption(
        "Spearman's rank correlation over the parts of the prompt: 1 means the same order of strength, 0 no "
        "relation, −1 the opposite order."
    )
    other = places[1]
    if len(places) > 2:
        other = st.segmented_control(
            f"Against {names[base]}",
            places[1:],
            format_func=names.__getitem__,
            default=places[1],
            required=True,
            key="difference-against",
        )
    maps = [
        aggregate.to_segments(found[p], shown[p].response, shown[p].prompt, reduce) for p in (base, other)
    ]
    change = difference(*maps)
    if not change.rows:
        st.caption("The two answers have no part in common, so their maps cannot be set against each other.")
        return
    # On a narrow screen the map scrolls sideways: its labels would lie on each other.
    least = LABELS_PX + COLUMN_PX * len(change.columns)
    box = ".st-key-difference-map"
    st.html(f"<style>{box} {{ overflow-x: auto; }} {box} > * {{ min-width: {least}px; }}</style>")
    with st.container(key="difference-map"):
        st.plotly_chart(
            difference_heatmap(change, theme=frame.theme()),
            theme=None,
            key="difference",
            config={"displayModeBar": False},
            alt=f"What has more or less influence on {names[other]} than on {names[base]}",
        )
    st.caption(
        problem.plain(f"Purple: more share of influence for {names[other]}. Orange: more for {names[base]}. ")
        + "Only parts of the answer that both wrote are compared."
    )


def _one_row(side: ShownSides, values: Floats) -> SegmentSalience:
    """The chosen target as one row over the parts that count, for the agreement."""
    keep = np.flatnonzero(aggregate.countable(side.prompt))
    columns = tuple(side.prompt[i] for i in keep)
    row = side.response[_rows(side)[0]]
    return SegmentSalience((row,), columns, values[keep][None], "sum")
