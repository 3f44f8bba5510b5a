"""Below the map: heatmap, table and token probabilities; and what can be downloaded of what is shown."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st

from core import aggregate
from core.errors import AppError
from core.records import Example, Generation, Reduce, SalienceMatrix
from core.salience import Method
from core.ui import problem
from core.ui.salience_page import maps
from core.ui.salience_page.maps import Parts
from core.ui.salience_page.session import Answer

STOP_WORDS = {
    "eos": "ended by itself",
    "length": "cut at the longest length",
    "stop": "ended",
    "stopped": "stopped",
}


def facts(generation: Generation) -> str:
    """One line under the answer: how likely the model found it, how long it is, how long it took."""
    rows = generation.logprob_nats
    likely = f"likely {math.exp(float(rows.mean())):.2f} a token, " if len(rows) else ""
    return f"{likely}{len(rows)} tokens, {generation.seconds:.1f} s, {STOP_WORDS[generation.stop_reason]}"


def parts_or_problem(generation: Generation, granularity: str, pattern: str | None) -> Parts:
    """The segments; where the person's own expression is at fault the page says so and shows lines."""
    try:
        return maps.parts(generation, granularity, pattern)
    except AppError as error:
        problem.show(error)
        return maps.parts(generation, "line", None)


def download_button() -> None:
    return None


def draw(
    example: Example,
    answer: Answer,
    found: SalienceMatrix,
    here: Parts,
    chosen: Sequence[int],
    method: Method,
    reduce: Reduce,
) -> None:
    """The tabs under the map."""
    heat, table, likely = st.tabs(["Heatmap", "Table", "Token probabilities"], key="more", on_change="rerun")
    if table.open:
        with table:
            keep = aggregate.countable(here.prompt)
            values = maps.column_scores(found, here, chosen, reduce)
            rows = aggregate.ranked(here.prompt, values, keep)
            st.dataframe(
                {
                    "rank": [r.rank for r in rows],
                    "share": [r.share for r in rows],
                    "score": [r.score for r in rows],
                    "text": [r.segment.text.strip() for r in rows],
                },
                hide_index=True,
                column_config={"share": st.column_config.NumberColumn(format="percent")},
            )
