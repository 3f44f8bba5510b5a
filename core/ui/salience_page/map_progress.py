"""How far the map is while its rows come, with Stop; why it is not whole, and the way to go on."""

from __future__ import annotations

import streamlit as st

from core.salience import Method
from core.ui.asking.answering import Answer
from core.ui.explaining import by_requests, controls, maps
from core.ui.explaining.maps import Parts
from core.ui.shell import problem, state


def draw_map_progress(answer: Answer, method: Method, here: Parts) -> None:
    """Draw it where there is something to say; nothing once the map is whole."""
    held = maps.under_way(answer, method, here)
    if by_requests.text_alone(answer.spec):
        st.caption(
            f"{problem.plain(answer.spec.name)} gives text alone, so it has no map. Under Details each part can be "
            "taken out and the model asked again."
        )
        return
    if held is None and by_requests.waits(answer) and maps.matrix(answer, method, here) is None:
        with st.container(horizontal=True, vertical_alignment="center", key="map-costs"):
            st.caption(by_requests.price(answer, here, controls.cut().unit))
            st.button("Ask", key=state.AGREE_TO_REQUESTS.name, on_click=by_requests.agree, args=(answer,))
        return
    if held is None or held.state == "done":
        return
    if held.state == "failed" and held.error is not None:
        problem.show_error(held.error)
    elif maps.failed(answer, method, here):
        count = len(maps.rows_so_far(method, held))
        with st.container(horizontal=True, vertical_alignment="center", key="map-stopped"):
            st.caption(
                f"Stopped by you: {count:,} of {len(here.response):,} parts of the answer are explained."
            )
            st.button(
                "Go on", key=state.GO_ON_WITH_MAP.name, on_click=maps.go_on, args=(answer, method, here)
            )
    elif not held.finished:
        waits = held.state == "queued"
        text = f"Waits, {held.position:,} before it" if waits else held.message
        with st.container(horizontal=True, vertical_alignment="center", key="map-progress"):
            st.progress(held.progress or 0.0, text=text or "Computing the map")
            st.button("Stop", key=state.STOP_MAP.name, on_click=held.stop, disabled=held.stopping)
