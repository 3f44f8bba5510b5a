"""How likely each model finds each answer, as a table, and token by token."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.errors import AppError
from core.figures.bars import token_logprobs
from core.figures.models import cross_likelihood
from core.records import Generation
from core.ui.compare_page.run import SideBySide
from core.ui.shell import frame, problem


def draw(comparison: SideBySide) -> None:
    """Draw the table; the token probabilities of one answer on demand."""
    names = [side.name for side in comparison.sides]
    heading = "How likely each model finds each answer"
    if not comparison.one_prompt:
        heading = "How likely each answer is under each prompt"
    st.subheader(heading, anchor=False)
    st.plotly_chart(
        cross_likelihood(names, comparison.mean_nats(), theme=frame.theme()),
        theme=None,
        key="cross-likelihood",
        alt=heading,
    )
    st.caption(
        "Read across: 1 means that every token of this answer would have been written here too, "
        "0.5 that on the average each token was one chance in two."
        + (
            " Models that cut text into different tokens are only roughly comparable."
            if comparison.one_prompt
            else ""
        )
    )
    _why(comparison)
    with st.expander("Token probabilities", key="token-probabilities", on_change="rerun") as opened:
        if opened.open:
            _tokens(comparison, names)


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
        key="token-probabilities-of",
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
            key=f"tokens-{writer}-{judge}",
            alt=f"How likely {names[judge]} finds each token",
        )
    if not views:
        st.caption("No model here tells log-probabilities.")
