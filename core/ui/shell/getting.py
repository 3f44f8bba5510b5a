"""Real models that the package registry holds: their stories opened, and the models got, on whatever page one is.

A story is read without the weights. Getting a model is offered where it may be fetched: on a person's own machine,
and on a hosted site whose operator allows it; its terms are read and accepted first where it has some.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.datasets import stories
from core.datasets.stories import Story
from core.models.local.real_models import PREFIX, RealModel, is_here, real_model
from core.records import ModelSpec
from core.store.keys import generation_key
from core.ui.shell import job_box, library, loading, looking, model_box, problem, state
from core.ui.shell.model_list import catalog
from core.ui.shell.services import owner, service

if TYPE_CHECKING:
    from core.jobs import JobContext


def real_model_of(spec: ModelSpec) -> RealModel | None:
    """The real model that `spec` is; None for every other model."""
    return real_model(spec.path) if spec.path.startswith(PREFIX) else None


def may_fetch() -> bool:
    """Whether a visitor of this site may fetch a model."""
    settings = service().settings
    return settings.mode == "local" or settings.fetch_models


def size(model: RealModel) -> str:
    """What has to be fetched: "93 MB"."""
    return f"{model.download_bytes / 1e6:,.0f} MB"


def draw_button(model: RealModel, *, primary: bool = True, beside: str = "") -> None:
    """The button that gets the model, or loads it where it is here; with its terms first, where it has some.

    `beside` tells two such buttons on one page apart.
    """
    here = is_here(model)
    accepted = here or not model.must_accept or _terms(model, beside)
    st.button(
        "Load" if here else f"Get it ({size(model)})",
        type="primary" if primary and not here else "secondary",
        key=state.GET_REAL(f"{model.name}{beside}").name,
        on_click=start_fetching,
        args=(model,),
        disabled=loading.is_loading() or not accepted,
        help=None if accepted else "Read and accept its terms first.",
    )


def _terms(model: RealModel, beside: str) -> bool:
    from core.models.local.terms import terms

    with st.expander(f"{model.license}"), st.container(height=280):
        st.text(terms(model))
    return st.checkbox(
        f"I have read and accept the {model.license}", key=state.ACCEPT_TERMS(f"{model.name}{beside}").name
    )


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


def stories_of(model: RealModel) -> list[Story]:
    """The stories that ship with answers and maps of `model`."""
    return [story for story in stories.load() if model.name in story.models]


def open_story(model: RealModel, story: Story | None = None) -> None:
    """Show one of the model's stories (None: the first) on the page that answers why; nothing is loaded for it.

    On a hosted site the model is not put into anybody's list: the link names the answer, which can be read.
    """
    story = story or stories_of(model)[0]
    spec = model.spec()
    if service().settings.mode == "local":
        model_box.choose(catalog().add(spec).name)
    library.open_dataset(stories.DATASET)
    state.EXAMPLE.set(story.example.id)
    kept = {name: st.query_params[name] for name in ("share",) if name in st.query_params}
    st.switch_page(
        "pages/salience.py",
        query_params=kept
        | {"dataset": stories.DATASET, "example": story.example.id, "answer": answer_key(model, story)},
    )


def answer_key(model: RealModel, story: Story) -> str:
    """The content id of the answer that ships for `story`."""
    return generation_key(story.sent, service().resolve(model.spec()), story.params)


def what_it_needs(model: RealModel) -> str:
    """What the page says of a model whose weights are not here; safe as Markdown."""
    get = (
        f"To run or measure, get it: {size(model)}, {model.license}."
        if may_fetch()
        else "On this site it cannot be run."
    )
    return problem.plain(
        f"{model.title} is not on this machine: its stories came with Whence, with answers and maps, and can be "
        f"read. {get}"
    )
