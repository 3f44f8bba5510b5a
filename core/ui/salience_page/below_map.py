"""Below the map: heatmap, table and token probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core import aggregate
from core.figures.bars import token_logprobs
from core.figures.captions import map_caption
from core.figures.heatmap import salience_heatmap
from core.records import Generation, Reduce, SalienceMatrix
from core.salience import Method
from core.ui.asking import answering, target_choice
from core.ui.explaining import maps
from core.ui.explaining.maps import Parts
from core.ui.shell import frame

HEAT, TABLE, LIKELY = "Heatmap", "Table", "Token probabilities"


def draw(
    generation: Generation,
    found: SalienceMatrix,
    here: Parts,
    chosen: Sequence[int],
    method: Method,
    reduce: Reduce,
) -> None:
    """The tabs under the map; only the open one is computed."""
    heat, table, likely = st.tabs([HEAT, TABLE, LIKELY], key="more", on_change="rerun")
    if heat.open:
        with heat:
            _heatmap(generation, found, here, chosen, method, reduce)
    if table.open:
        with table:
            _table(found, here, chosen, method, reduce)
    if likely.open:
        with likely:
            _likely(generation)


def _likely(generation: Generation) -> None:
    if not np.isfinite(generation.logprob_nats).all():
        st.caption("This model, which runs elsewhere, does not tell how likely it found its words.")
        return
    st.plotly_chart(
        token_logprobs(generation, theme=frame.theme()),
        theme=None,
        key="token-logprobs",
        alt="How likely the model found each token of its answer",
    )
    st.caption(
        "How likely the model found each piece of its own answer, in nats: 0 is certain, "
        "−0.7 is one chance in two, −2.3 is one in ten."
    )


def _heatmap(
    generation: Generation,
    found: SalienceMatrix,
    here: Parts,
    chosen: Sequence[int],
    method: Method,
    reduce: Reduce,
) -> None:
    tokens = generation.tokens

    def clicked() -> None:
        event = st.session_state.get("heatmap") or {}
        points = (event.get("selection") or {}).get("points") or []
        if points:
            row = int(points[0]["customdata"][0])
            answering.choose_target(
                target_choice.of([row], here.response, tokens.response, tokens.prompt_chars)
            )

    st.plotly_chart(
        salience_heatmap(
            aggregate.to_segments(found, here.response, here.prompt, reduce),
            signed=method.signed,
            units=method.units,
            negligible=method.negligible,
            theme=frame.theme(),
            selected=chosen,
            strength=st.session_state.get("strength", 0.5),
        ),
        theme=None,
        key="heatmap",
        on_select=clicked,
        selection_mode="points",
        alt="How much each part of the prompt influenced each part of the answer",
    )
    st.caption(
        f"Click a cell to explain that part of the answer. {map_caption(frame.theme(), method.signed)}"
    )


def _table(found: SalienceMatrix, here: Parts, chosen: Sequence[int], method: Method, reduce: Reduce) -> None:
    values = maps.column_scores(found, here, chosen, reduce)
    rows = aggregate.ranked(here.prompt, values)
    st.dataframe(
        {
            "Rank": [r.rank for r in rows],
            "Share": [r.share for r in rows],
            "Part of the prompt": [r.segment.text.strip() for r in rows],
            f"Score ({method.units})": [r.score for r in rows],
        },
        hide_index=True,
        column_config={
            "Rank": st.column_config.NumberColumn(width="small"),
            "Share": st.column_config.NumberColumn(format="percent", width="small"),
            "Part of the prompt": st.column_config.TextColumn(width="large"),
        },
    )
