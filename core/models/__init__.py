"""The model backends: one file each, named in `BACKENDS`, imported when a model of theirs is first asked for.

Importing this package loads neither torch nor transformers, so pages may read the declarations.
"""

from __future__ import annotations

import importlib
import threading
from dataclasses import dataclass

from core import plugins
from core.family import find
from core.models.language_model import Capabilities, LanguageModel, Progress
from core.records import ModelSpec

__all__ = ["BACKENDS", "Backend", "Capabilities", "LanguageModel", "Progress", "backend", "load"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A way to reach a model. `module` has `load(spec, *, progress, stop) -> LanguageModel`."""

    name: str
    label: str
    description: str
    module: str
    remote: bool = False
    """Needs no memory here: the manager keeps it beside the local model."""
    rows: int = 0
    """Most rows of a salience matrix that it can be asked for; 0: memory alone decides."""


def backend(name: str) -> Backend:
    """The backend called `name`. Raises: AppError that lists what there is."""
    return find("model backend", BACKENDS, name)


def load(
    spec: ModelSpec, *, progress: Progress | None = None, stop: threading.Event | None = None
) -> LanguageModel:
    """Loads `spec` with its backend. Raises: AppError; Stopped when `stop` is set meanwhile."""
    module = importlib.import_module(backend(spec.backend).module)
    return module.load(spec, progress=progress, stop=stop)


BACKENDS: tuple[Backend, ...] = plugins.extended(
    "whence.models",
    Backend,
    (
        Backend(
            name="hugging_face",
            label="Hugging Face transformers",
            description="Any causal language model from a local folder or the hub, run on this machine.",
            module="core.models.local.hugging_face",
        ),
        Backend(
            name="keras_hub",
            label="KerasHub",
            description="A KerasHub preset (Gemma, GPT-2, Llama, Mistral), run on this machine with torch.",
            module="core.models.keras.load",
        ),
        Backend(
            name="lit_server",
            label="LIT model server",
            description="A model behind a LIT model server or another Whence: answers and salience, no probabilities.",
            module="core.models.remote.lit_server",
            remote=True,
            rows=16,
        ),
        Backend(
            name="openai_compatible",
            label="OpenAI-compatible server",
            description="vLLM, TGI, llama.cpp, Ollama, transformers serve and the like: answers, and log-probabilities "
            "where offered.",
            module="core.models.remote.openai_compatible",
            remote=True,
        ),
        Backend(
            name="gemini",
            label="Gemini",
            description="A Gemini model of Google, asked through its own library: answers only.",
            module="core.models.remote.gemini",
            remote=True,
        ),
    ),
)
