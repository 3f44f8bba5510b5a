"""The one owner of loaded models: at most one local model at a time, used under one lock.

A new model is loaded after the old one has gone, because two may not fit; when the new one fails, the old one
is loaded again. Remote models need no memory here and stay beside it. Knows nothing of queues (`core.jobs`).
"""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.errors import AppError
from core.models import backend, load
from core.models.language_model import LanguageModel, Progress
from core.records import ModelSpec

logger = logging.getLogger(__name__)

Loader = Callable[..., LanguageModel]


class ModelManager:
    """Hands out models one at a time; every use holds the inference lock."""

    def __init__(self, loader: Loader = load) -> None:
        self._loader = loader
        self._lock = threading.RLock()
        self._models: dict[ModelSpec, LanguageModel] = {}

    @property
    def loaded(self) -> tuple[ModelSpec, ...]:
        """What is in memory now, as it was asked for."""
        return tuple(self._models)

    def peek(self, spec: ModelSpec) -> LanguageModel | None:
        """The model when it is loaded (for its figures only: using it needs `get`)."""
        return self._models.get(self._known(spec))

    def _known(self, spec: ModelSpec) -> ModelSpec:
        """The key under which `spec` is in memory: what was asked for before it was fetched had no revision yet."""
        if spec in self._models or not spec.revision:
            return spec
        same = (key for key, model in list(self._models.items()) if not key.revision and model.spec == spec)
        return next(same, spec)

    @contextmanager
    def get(
        self, spec: ModelSpec, *, progress: Progress | None = None, stop: threading.Event | None = None
    ) -> Iterator[LanguageModel]:
        """The model for `spec`, loaded if need be, and the inference lock for as long as it is used.

        Raises: AppError when it cannot be loaded; the model that was there before works on.
        """
        with self._lock:
            spec = self._known(spec)
            if spec not in self._models:
                self._replace(spec, progress, stop)
            yield self._models[spec]

    def evict(self, spec: ModelSpec | None = None) -> None:
        """Gives back the memory of `spec`, or of every model."""
        with self._lock:
            for name in [self._known(spec)] if spec is not None else list(self._models):
                model = self._models.pop(name, None)
                if model is not None:
                    model.close()
                    del model
            gc.collect()

    def _replace(self, spec: ModelSpec, progress: Progress | None, stop: threading.Event | None) -> None:
        if backend(spec.backend).remote:
            self._models[spec] = self._loader(spec, progress=progress, stop=stop)
            return
        before = [name for name in self._models if not backend(name.backend).remote]
        for name in before:
            self.evict(name)
        try:
            self._models[spec] = self._loader(spec, progress=progress, stop=stop)
        except BaseException:
            gc.collect()
            for name in before:
                # When not even the old one comes back, the person should still read why the new one failed.
                try:
                    self._models[name] = self._loader(name, progress=None, stop=None)
                except AppError:
                    logger.exception("%s could not be loaded again", name.name)
            raise
