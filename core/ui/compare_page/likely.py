"""How likely each model finds each answer, as a table, and token by token."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.errors import AppError
from core.figures.token_logprobs import token_logprobs
from core.records import Generation
from core.ui.compare_page.run import SideBySide
from core.ui.explaining.marks import of_model, of_version
from core.ui.shell import frame, problem, state
from core.ui.shell.bar_table import BarFigure, BarLine, BarPanel, BarSeries, bar_table


def draw_likelihoods(comparison: SideBySide) -> None:
    """Draw the table; the token probabilities of one answer on demand."""
    names = [side.name for side in comparison.sides]
    heading = "How likely each model finds each answer"
    if not comparison.one_prompt:
        heading = "How likely each answer is under each prompt"
    st.subheader(heading, anchor=False)
    marked = of_model if comparison.one_prompt else of_version
    judged = "judged by" if comparison.one_prompt else "under"
    bar_table(
        [BarPanel(tuple(likelihood_lines(names, comparison.mean_nats())))],
        key=state.CROSS_LIKELIHOOD.name,
        about=heading,
        series=[BarSeries(f"{judged} {name}", marked(name)) for name in names],
    )
    st.caption(
        "The mean chance of a token of this answer: 100 % means that every token would have been written here too, "
        "50 % that on the average each token was one chance in two."
        + (
            " Models that cut text into different tokens are only roughly comparable."
            if comparison.one_prompt
            else ""
        )
    )
    _why(comparison)
    with st.expander("Token probabilities", key=state.TOKEN_PROBABILITIES.name, on_change="rerun") as opened:
        if opened.open:
            _tokens(comparison, names)


def likelihood_lines(names: Sequence[str], mean_nats: NDArray[np.float64]) -> list[BarLine]:
    """A row an answer, a bar a judge: the geometric mean of its tokens' probabilities.

    `mean_nats` (answers, judges): mean log-probability of an answer's tokens, NaN where it is not known.
    """
    chance = np.exp(mean_nats)
    return [
        BarLine(
            f"Answer of {writer}",
            tuple(
                BarFigure("not known", series=judge)
                if np.isnan(part)
                else BarFigure(
                    said_chance(float(part)), float(part), series=judge, note=f"{nats:.3f} nats a token"
                )
                for judge, (part, nats) in enumerate(zip(chance[at], mean_nats[at]))
            ),
        )
        for at, writer in enumerate(names)
    ]


def said_chance(chance: float) -> str:
    """A probability in percent; never rounded up to certainty."""
    if 0.995 <= chance < 1:
        return "over 99 %"
    return "under 1 %" if 0 < chance < 0.005 else f"{chance:.0%}".replace("%", " %")


def _why(comparison: SideBySide) -> None:
    """Why a number is missing, once a model."""
    for side in comparison.sides:
        reasons = {str(found) for found in side.scores.values() if isinstance(found, AppError)}
        for reason in sorted(reasons):
            st.caption(problem.plain(f"{side.name}: {reason}"))


def _tokens(comparison: SideBySide, names: list[str]) -> None:
    """Each model's view of one answer, all on one scale."""
    writers = [i for i, side in enumerate(comparison.sides) if side.generation is not None]
    writer = st.segmented_control(
        "Answer of",
        writers,
        format_func=lambda i: names[i],
        default=writers[0],
        required=True,
        key=state.TOKEN_PROBABILITIES_OF.name,
    )
    views: dict[int, Generation] = {}
    for judge, side in enumerate(comparison.sides):
        found = side.generation if judge == writer else side.scores.get(writer)
        if isinstance(found, Generation) and np.isfinite(found.logprob_nats).any():
            views[judge] = found
    least = min((float(np.nanmin(g.logprob_nats)) for g in views.values()), default=-1.0)
    for judge, generation in views.items():
        st.caption(problem.plain(f"as {names[judge]} finds it"))
        figure = token_logprobs(generation, theme=frame.theme())
        figure.update_yaxes(range=[min(-1.0, least) * 1.05, 0])
        st.plotly_chart(
            figure,
            theme=None,
            key=state.TOKENS_OF(writer, judge).name,
            alt=f"How likely {names[judge]} finds each token",
        )
    if not views:
        st.caption("No model here tells log-probabilities.")
