"""Below the map: heatmap, table and token probabilities."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import streamlit as st

from core import aggregate, target_choice
from core.faithfulness.natural_results import trust_sentence
from core.figures.captions import map_caption
from core.figures.heatmap import prompt_heatmap
from core.figures.probabilities import token_probabilities
from core.records import Generation, ModelSpec, Reduce, SalienceMatrix
from core.salience import Method
from core.ui.asking import answering
from core.ui.asking.answering import Answer
from core.ui.explaining import by_requests, controls, maps
from core.ui.explaining.maps import Parts
from core.ui.salience_page import (
    asking_again,
    contrasts,
    downloads,
    needed,
    part_tests,
    stand_in,
    surprise,
    weighed,
)
from core.ui.shell import frame, problem, state

HEAT, TABLE, LIKELY = "Every answer part × every prompt part", "Table", "How sure the model was"
TRUST = "How far to trust this"
AGAIN = "Does it still say so?"
TESTS = "Take-out test"
NEEDS = "What does it need?"
STAND_IN = "A stand-in's map"


def draw_details(
    answer: Answer,
    found: SalienceMatrix | None,
    here: Parts,
    chosen: Sequence[int],
    method: Method,
    reduce: Reduce,
    names: Sequence[str],
    granularity: str,
) -> None:
    """The row *Details* under the map; nothing of it is computed or loaded before it is asked for."""
    generation = answer.generation
    assert generation is not None
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        shown = st.pills(
            "Details",
            [
                HEAT,
                TABLE,
                LIKELY,
                TESTS,
                NEEDS,
                AGAIN,
                *([STAND_IN] if stand_in.fits(answer.spec) else []),
                TRUST,
            ],
            default=AGAIN if by_requests.text_alone(answer.spec) else None,
            key=state.DETAILS.name,
            persist_state="session",
        )
        if found is not None:
            with st.popover("Report"):
                downloads.draw_map_downloads(answer, found, here, chosen, method, granularity, reduce)
    if shown == LIKELY:
        _likely(answer)
        contrasts.draw_contrasts(
            answer, here, chosen, names, controls.cut().unit, weighed.known_alternatives(answer)
        )
    elif shown == TRUST:
        _trust(method, generation.model)
    elif shown == AGAIN:
        asking_again.draw_asking_again(answer, here, chosen, names, controls.cut().unit)
    elif shown == STAND_IN:
        stand_in.draw_stand_in(answer, here, chosen, names)
    elif shown == TESTS:
        part_tests.draw_part_tests(answer, here, chosen, names, controls.cut().unit)
    elif shown == NEEDS:
        values = None if found is None else maps.column_scores(found, here, chosen, reduce)
        needed.draw_needed(answer, here, chosen, values, names, controls.cut().unit)
    elif shown and found is None:
        st.caption("It is being computed …")
    elif shown == HEAT and found is not None:
        _heatmap(generation, found, here, chosen, method, reduce, names)
    elif shown == TABLE and found is not None:
        _table(found, here, chosen, method, reduce, names)


def context(spec: ModelSpec) -> int | None:
    """Most tokens that a model in a folder takes, by its own configuration; None where it cannot be told."""
    from core.models.local import folder

    place = folder.local(spec.path)
    if place is None:
        return None
    try:
        kept = json.loads((place / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    length = kept.get("max_position_embeddings") or (kept.get("text_config") or {}).get(
        "max_position_embeddings"
    )
    return int(length) if isinstance(length, int) and length > 0 else None


def _trust(method: Method, spec: ModelSpec) -> None:
    st.markdown(f"**{method.label}.** {method.description}")
    measured = " ".join(
        filter(None, (trust_sentence(name, spec.path) for name in ("find_cause", method.name)))
    )
    st.caption(
        f"A map proposes where to look; what happens without a line is measured above. {measured} How often each "
        "method finds causes that are known is on its own page."
    )
    st.page_link("pages/trust.py", label="How far to trust it", icon=":material/verified:")


def _likely(answer: Answer) -> None:
    generation = answer.generation
    assert generation is not None
    if not np.isfinite(generation.logprob_nats).all():
        st.caption("This model, which runs elsewhere, does not tell how likely it found its words.")
        return
    found = weighed.known_alternatives(answer)
    others = [] if found is None else [list(zip(t, p)) for t, p in zip(found.texts, found.probabilities)]
    ties = () if found is None else found.ties
    st.html(surprise.surprise_html(generation, others, ties, frame.theme()))
    st.caption(
        "Darker: the model found this piece more surprising. Hover: how likely it was, and what else was."
    )
    st.plotly_chart(
        token_probabilities(generation, others=others, ties=ties, theme=frame.theme()),
        theme=None,
        key=state.TOKEN_PROBABILITIES.name,
        alt="How likely the model found each token of its answer, 0 to 1",
    )
    st.caption(problem.plain(weighed.how_sure(generation, found)))
    weighed.ask_alternatives(answer)


def _heatmap(
    generation: Generation,
    found: SalienceMatrix,
    here: Parts,
    chosen: Sequence[int],
    method: Method,
    reduce: Reduce,
    names: Sequence[str],
) -> None:
    tokens = generation.tokens

    def clicked() -> None:
        event = state.HEATMAP.get() or {}
        points = (event.get("selection") or {}).get("points") or []
        if points:
            row = int(points[0]["customdata"][0])
            answering.choose_target(
                target_choice.target_of([row], here.response, tokens.response, tokens.prompt_chars)
            )

    st.plotly_chart(
        prompt_heatmap(
            aggregate.to_segments(found, here.response, here.prompt, reduce),
            names,
            signed=method.signed,
            units=method.units,
            negligible=method.negligible,
            theme=frame.theme(),
            selected=chosen,
            strength=state.STRENGTH.get(0.5),
        ),
        theme=None,
        key=state.HEATMAP.name,
        on_select=clicked,
        selection_mode="points",
        alt="How much each part of the prompt influenced each part of the answer",
    )
    many = (
        " Shown are the parts around the chosen one, and the strongest lines."
        if len(here.response) > 40
        else ""
    )
    legend = map_caption(frame.theme(), method.signed, method.sign_holds)
    st.caption(f"Click a cell to explain that part of the answer.{many} {legend}")


def _table(
    found: SalienceMatrix,
    here: Parts,
    chosen: Sequence[int],
    method: Method,
    reduce: Reduce,
    names: Sequence[str],
) -> None:
    values = maps.column_scores(found, here, chosen, reduce)
    unknown = method.unmeasured_parts(found.request, here.prompt)
    measured = aggregate.countable(here.prompt)
    measured[list(unknown)] = False
    rows = aggregate.ranked(here.prompt, values, measured, by=method.rank_by)
    st.dataframe(
        {
            "Rank": [r.rank for r in rows],
            "Where": [names[r.segment.index] for r in rows],
            "Share": [r.share for r in rows],
            "Part of the prompt": [r.segment.text.strip() for r in rows],
            f"Score ({method.units})": [r.score for r in rows],
        },
        hide_index=True,
        column_config={
            "Rank": st.column_config.NumberColumn(width="small"),
            "Where": st.column_config.TextColumn(width="small"),
            "Share": st.column_config.NumberColumn(format="percent", width="small"),
            "Part of the prompt": st.column_config.TextColumn(width="large"),
        },
    )
