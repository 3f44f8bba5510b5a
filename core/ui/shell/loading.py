"""Loading a model, or connecting to one, as a job; what was loaded can be chosen everywhere at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.records import ModelSpec
from core.store.keys import question_key
from core.ui.shell import job_box, looking, model_box
from core.ui.shell.model_list import catalog, title
from core.ui.shell.services import owner, service

if TYPE_CHECKING:
    from core.jobs import JobContext

BOX = "load a model"


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """What a load job leaves behind."""

    spec: ModelSpec
    sentence: str


def start_loading(spec: ModelSpec) -> None:
    """Load `spec` in the background; `draw_loading` shows how far it is.

    The model before it is given back first; if this one fails, that one is loaded again.
    """

    def work(context: JobContext) -> LoadedModel:
        resolved = service().allowed(service().resolve(spec))
        with service().manager.get(resolved, progress=context.progress, stop=context.stop):
            return LoadedModel(spec, f"{title(spec)} is ready.")

    key = question_key("load", service().resolve(spec))
    job = service().submit(
        work,
        spec,
        kind="load",
        key=key,
        owner=owner(),
        view=looking.view_on_show(),
        label=f"Loading {title(spec)}",
    )
    job_box.hold_job(BOX, job)


def is_loading() -> bool:
    return job_box.is_running(BOX)


def draw_loading() -> None:
    """The progress of loading, with Stop; when it has ended the model is chosen."""
    job_box.draw_job(BOX, _ready)


def _ready(loaded: LoadedModel) -> None:
    model_box.choose(catalog().add(loaded.spec).name)
