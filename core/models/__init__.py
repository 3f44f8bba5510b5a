"""The model backends: one file each, named in `BACKENDS`, imported when a model of theirs is first asked for.

Importing this package loads neither torch nor transformers, so pages may read the declarations.
"""

from __future__ import annotations

import importlib
import threading
from dataclasses import dataclass

from core.errors import AppError
from core.models.base import Capabilities, LanguageModel, Progress
from core.records import ModelSpec

__all__ = ["BACKENDS", "Backend", "Capabilities", "LanguageModel", "Progress", "backend", "load"]


@dataclass(frozen=True, slots=True)
class Backend:
    """A way to reach a model. `module` has `load(spec, *, progress, stop) -> LanguageModel`."""

    name: str
    label: str
    description: str
    module: str
    remote: bool = False
    """Needs no memory here: the manager keeps it beside the local model."""


def backend(name: str) -> Backend:
    """The backend called `name`.

    Raises: AppError that lists the available ones.
    """
    for member in BACKENDS:
        if member.name == name:
            return member
    available = ", ".join(member.name for member in BACKENDS)
    raise AppError(f"There is no model backend called {name!r}.", hint=f"Available: {available}.")


def load(
    spec: ModelSpec, *, progress: Progress | None = None, stop: threading.Event | None = None
) -> LanguageModel:
    """Loads `spec` with its backend. Raises: AppError; Stopped when `stop` is set meanwhile."""
    module = importlib.import_module(backend(spec.backend).module)
    return module.load(spec, progress=progress, stop=stop)


BACKENDS: tuple[Backend, ...] = (
    Backend(
        "hugging_face",
        "Hugging Face transformers",
        "Any causal language model from a local folder or the hub, run on this machine.",
        "core.models.hugging_face",
    ),
)
