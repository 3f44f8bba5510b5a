"""Why each answer: the parts of all models in one list, what gained and lost between versions, the coloured prompts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from core import aggregate
from core.figures import palette
from core.figures.marks import Mark
from core.records import SalienceMatrix
from core.salience import Method
from core.token_view.names import part_names
from core.ui.compare_page.answers import ShownSides
from core.ui.compare_page.run import SideBySide
from core.ui.compare_page.shared_parts import SideShares, models_verdict, moved, together, versions_verdict
from core.ui.explaining import trust
from core.ui.explaining.controls import Cut, Look
from core.ui.explaining.maps import Parts, column_scores, scores_of
from core.ui.explaining.marks import of_model
from core.ui.salience_text import salience_text
from core.ui.shell import problem, state
from core.ui.shell.bar_table import BarPanel, BarSeries, bar_table

GAINED_AND_LOST = (
    (palette.UNDERLINE["light"][0], palette.UNDERLINE["dark"][0], "▲"),
    (palette.UNDERLINE["light"][1], palette.UNDERLINE["dark"][1], "▼"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """The maps that are ready, by place, and their shares for what is explained."""

    matrices: dict[int, SalienceMatrix]
    shares: dict[int, SideShares]


def find_reasons(
    comparison: SideBySide, shown: dict[int, ShownSides], method: Method, cut: Cut, look: Look
) -> Found:
    """What is known so far; loads no model."""
    matrices: dict[int, SalienceMatrix] = {}
    shares: dict[int, SideShares] = {}
    for place, side in shown.items():
        matrix = comparison.matrix(place, method, cut)
        if matrix is None:
            continue
        matrices[place] = matrix
        values = column_scores(matrix, Parts(side.prompt, side.response), _rows(side), look.reduce)
        names = tuple(part_names(side.prompt, cut.unit))
        kept = aggregate.countable(side.prompt)
        shares[place] = SideShares(
            comparison.sides[place].name, side.prompt, names, aggregate.shares(values, kept), method.rank_by
        )
    return Found(matrices, shares)


def verdict(comparison: SideBySide, shown: dict[int, ShownSides], found: Found) -> str:
    """The sentence that stands above the answers; empty while fewer than two sides are known."""
    answers = [side.generation.text for side in comparison.sides if side.generation is not None]
    if len(answers) < 2:
        return ""
    places = list(found.shares)
    if len(places) < 2:
        return "Same answer." if len({text.strip() for text in answers}) == 1 else "Different answers."
    if comparison.one_prompt:
        rows = [shown[place].response[_rows(shown[place])[0]] for place in places]
        return models_verdict(answers, [found.shares[place] for place in places], rows)
    one, other = (comparison.sides[place].generation for place in places[:2])
    assert one is not None and other is not None
    return versions_verdict(one.text, other.text, found.shares[places[0]], found.shares[places[1]])


def draw_parts(
    comparison: SideBySide, shown: dict[int, ShownSides], found: Found, method: Method, cut: Cut
) -> None:
    """The list of parts: of all models together, or what gained and lost between two versions."""
    for place in shown:
        error = comparison.map_error(place, method, cut)
        if place not in found.matrices and error is not None:
            st.caption(problem.plain(f"{comparison.sides[place].name}: {error}"))
    if not found.shares:
        return
    st.subheader("Where it came from", anchor=False)
    places = list(found.shares)
    side = shown[places[0]]
    explained = " ".join(side.response[i].text.strip() for i in _rows(side))
    st.caption(
        problem.plain(f"Explaining “{explained}” and what matches it in the other answers. ")
        + "Click a part of an answer to explain that. Influence on this answer, not truth."
    )
    if comparison.one_prompt or len(places) < 2:
        _together([found.shares[place] for place in places])
    else:
        _moved(comparison, found)


def _together(sides: list[SideShares]) -> None:
    lines, left = together(sides)
    series = [BarSeries(side.name, of_model(side.name)) for side in sides]
    bar_table(
        [BarPanel(tuple(lines))],
        key=state.MODEL_BARS.name,
        about="Share of each part of the prompt",
        series=series,
    )
    st.caption(f"Shares of the prompt’s influence, all bars on one scale. {left}")


def _moved(comparison: SideBySide, found: Found) -> None:
    places = list(found.shares)
    names = {place: comparison.sides[place].name for place in places}
    base, other = places[0], places[1]
    if len(places) > 2:
        other = st.segmented_control(
            f"Against {names[base]}",
            places[1:],
            format_func=names.__getitem__,
            default=places[1],
            required=True,
            key=state.DIFFERENCE_AGAINST.name,
        )
    lines, left = moved(found.shares[base], found.shares[other])
    gained, lost = (Mark(light, dark, sign, "circle", "solid") for light, dark, sign in GAINED_AND_LOST)
    bar_table(
        [BarPanel(tuple(lines))],
        key=state.GAINED_LOST.name,
        about="What gained and lost influence",
        series=[BarSeries("gained", gained), BarSeries("lost", lost)],
        signed=True,
    )
    st.caption(
        problem.plain(
            f"Share of the prompt’s influence: {names[base]} → {names[other]}, by the size of the change. "
        )
        + f"Raw scores of two prompts have no common scale. {left}"
    )


def _rows(side: ShownSides) -> tuple[int, ...]:
    return side.chosen or tuple(range(len(side.response)))


def draw_maps(
    comparison: SideBySide,
    shown: dict[int, ShownSides],
    found: Found,
    method: Method,
    cut: Cut,
    look: Look,
) -> None:
    """The prompt in colour for each model, all on the scale of the strongest."""
    if not found.shares:
        return
    top = max(side.top for side in found.shares.values())
    columns = st.columns(min(len(found.matrices), 2))
    for at, place in enumerate(found.matrices):
        side = shown[place]
        packed = scores_of(found.matrices[place], Parts(side.prompt, side.response), _rows(side), look.reduce)
        with columns[at % len(columns)]:
            st.markdown(f"**{problem.plain(comparison.sides[place].name)}**")
            salience_text(
                key=state.MAP_VIEW(place).name,
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
            if found.matrices[place].note:
                st.caption(problem.plain(found.matrices[place].note))
    st.caption("All maps share one colour scale.")
    specs = {comparison.sides[place].spec.path: comparison.sides[place].spec for place in found.matrices}
    for spec in specs.values():
        if len(specs) > 1:
            st.caption(f"**{problem.plain(spec.name)}**")
        trust.draw_trust(method, spec)
