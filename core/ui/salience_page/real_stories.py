"""One line under the bar: the same story on a real model, its other stories, and what it needs to be run.

On the first visit, where the bundled demo model wrote the answer, the line leads to the real ones; on a story of a
real model it leads to its other stories, and where the weights are not here it says what *Run* needs and gets it.
"""

from __future__ import annotations

import streamlit as st

from core.datasets import stories
from core.models.local.real_models import REAL_MODELS, RealModel, is_here
from core.records import Example, ModelSpec
from core.settings import DEMO_MODEL
from core.store.seeding import SAMPLES
from core.ui.shell import getting, library, loading, problem, state
from core.ui.shell.services import service

NAMES = {
    "real-mistake": "the mistake",
    "real-mended": "mended",
    "real-principle": "with a principle",
    "real-arithmetic": "arithmetic",
    "real-headline": "a headline",
    "real-chat": "a chat",
    "real-dialogue": "a dialogue",
}
"""What the line calls each story; one without a name here has its id."""


def draw_real_stories(example: Example, spec: ModelSpec) -> None:
    """Draw the line for the prompt and model on show; nothing where neither is one that ships."""
    loading.draw_loading()
    model = getting.real_model_of(spec)
    if model is None:
        shipped = library.dataset().id in (SAMPLES, stories.DATASET)
        if shipped and service().resolve(spec).path == DEMO_MODEL:
            _offer()
        return
    if not is_here(model):
        with st.container(key="real-needs", horizontal=True, vertical_alignment="center"):
            st.caption(getting.what_it_needs(model), width="stretch")
            if getting.may_fetch():
                _get(model)
    if library.dataset().id == stories.DATASET:
        _others(model, example)


def _offer() -> None:
    with st.container(key="real-offer", horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("Answered by the bundled demo model. The same story on a real model:", width="content")
        for model in REAL_MODELS:
            if st.button(
                _short(model), key=state.STORY_ON(model.name).name, type="tertiary", help=_help(model)
            ):
                getting.open_story(model)


def _get(model: RealModel) -> None:
    """The button, or where its terms come first, what opens them."""
    if not model.must_accept:
        getting.draw_button(model, beside=" here")
        return
    with st.popover(f"Get it ({getting.size(model)})"):
        getting.draw_button(model, beside=" here")


def _others(model: RealModel, example: Example) -> None:
    told = {story.example.id: story for story in getting.stories_of(model)}
    with st.container(key="real-stories", horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(problem.plain(f"Stories on {_short(model)}:"), width="content")
        for id_, story in told.items():
            if st.button(
                NAMES.get(id_, id_),
                key=state.READ_STORY(id_).name,
                type="tertiary",
                disabled=example.id == id_,
            ):
                getting.open_story(model, story)
        st.caption("· the same on", width="content")
        for other in REAL_MODELS:
            if other is not model:
                same = next((s for s in getting.stories_of(other) if s.example.id == example.id), None)
                if st.button(
                    _short(other), key=state.STORY_ON(other.name).name, type="tertiary", help=_help(other)
                ):
                    getting.open_story(other, same)


def _short(model: RealModel) -> str:
    return model.title.partition(" (")[0].removesuffix(" instruct")


def _help(model: RealModel) -> str:
    state = "It is on this machine." if is_here(model) else f"To run it: {getting.size(model)} to fetch."
    return problem.plain(
        f"{model.description} Answer and map can be read at once, without its weights. {state}"
    )
