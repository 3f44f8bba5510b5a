"""What all of the service stands on: settings, the store, the models, and how work gets to a worker.

Knows no question; `answers.py`, `maps.py` and `batched.py` do.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from core.errors import AppError
from core.jobs import Job, JobContext, JobQueue, Until
from core.records import Message, ModelSpec, Tokens
from core.settings import ROOT, Settings
from core.settings import settings as default_settings
from core.store.keys import model_key, question_key

if TYPE_CHECKING:
    from core.models.language_model import LanguageModel
    from core.models.manager import ModelManager
    from core.store.store import Store

T = TypeVar("T")
Prompt = str | Sequence[Message]

MEMORY_BYTES = 512 * 1024 * 1024
"""What the newest matrices may hold in memory, and the newest answers as much again."""
BULK, LATER, NORMAL, CLICK = -10, -5, 0, 10
"""Priorities: clicks go first; the rest of a map, whose first row is there, lets answers and loads pass; work over
many examples lets everything else pass between two of them."""
STORAGE_SECONDS = 5.0
"""The database and the disk are asked how they are at most this often."""
logger = logging.getLogger(__name__)


class Workshop:
    """Settings, the store, the models and the queue. Cheap to make: all of it is opened at first use."""

    def __init__(
        self,
        settings: Settings | None = None,
        store: Store | None = None,
        *,
        manager: ModelManager | None = None,
        jobs: JobQueue | None = None,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        self.settings = settings or default_settings()
        self.jobs = jobs or JobQueue()
        self._store, self._manager = store, manager
        self._made = threading.Lock()
        self.memory_bytes = memory_bytes
        self.unkept: AppError | None = None
        """Why the newest result was not kept; None when it was."""
        self._asked, self._asked_at = threading.Lock(), -math.inf
        self._storage_fault: AppError | None = None
        self._revisions: dict[tuple[object, ...], str] = {}

    @property
    def store(self) -> Store:
        with self._made:
            if self._store is None:
                from core.store.store import Store

                self._store = Store.of(self.settings)
            return self._store

    @property
    def manager(self) -> ModelManager:
        with self._made:
            if self._manager is None:
                from core.models.manager import ModelManager

                self._manager = ModelManager()
            return self._manager

    @property
    def depth(self) -> int:
        """How many jobs run or wait."""
        return self.jobs.depth

    def specs(self) -> tuple[ModelSpec, ...]:
        """The models that the operator named, the default first, as exact as `resolve` makes them."""
        from core.models.configured import configured_specs

        return tuple(self.resolve(spec) for spec in configured_specs(self.settings))

    def spec(self) -> ModelSpec:
        """The default model."""
        return self.specs()[0]

    def resolve(self, spec: ModelSpec) -> ModelSpec:
        """`spec` as its keys need it: a local folder's present revision, and no machine's path for ours.

        A folder inside the project is named from the project's root, so that what ships precomputed is found
        wherever the project stands.
        """
        if spec.backend == "keras_hub":
            return self._keras_preset(spec)
        if spec.backend != "hugging_face":
            return spec
        path = Path(spec.path).expanduser()
        if path.is_absolute() and path.is_relative_to(ROOT):
            spec = replace(spec, path=path.relative_to(ROOT).as_posix())
        if spec.revision:
            return spec
        from core.models.local import folder

        place = folder.local(spec.path)
        if place is None or not place.exists():
            return replace(spec, revision=folder.present_revision(spec))
        seen = (spec.path, *folder.stamps(place))
        if seen not in self._revisions:
            self._revisions[seen] = folder.present_revision(spec)
        return replace(spec, revision=self._revisions[seen])

    def _keras_preset(self, spec: ModelSpec) -> ModelSpec:
        """With the content address of its files, where it is a folder; a preset's name is its own."""
        place = Path(spec.path).expanduser()
        if spec.revision or not place.is_dir():
            return spec
        from core.models.keras import integrity
        from core.models.local import address

        seen = (spec.path, *address.stamps(place, integrity.files_of(place)))
        if seen not in self._revisions:
            self._revisions[seen] = integrity.revision(place)
        return replace(spec, revision=self._revisions[seen])

    def allowed(self, spec: ModelSpec) -> ModelSpec:
        """`spec`, unless it is a stranger's: a hosted installation loads and asks the operator's models only.

        So no token of the operator's goes to an address, and none fetches a model, that a visitor named.
        Raises: AppError.
        """
        if self.settings.mode == "hosted":
            known = {(one.backend, one.path) for one in self.specs()}
            if (spec.backend, spec.path) not in known:
                raise AppError(
                    f"“{spec.name}” is not one of the models of this site.",
                    hint="Choose one of those that the Models page lists.",
                    code="forbidden",
                )
        return spec

    def info(self, spec: ModelSpec) -> dict[str, Any] | None:
        """Parameters, bytes, context, device and precision of a model that is loaded; None when it is not."""
        if self._manager is None:
            return None
        model = self._manager.peek(self.resolve(spec))
        if model is None:
            return None
        return {
            "parameters": model.parameters,
            "bytes": model.bytes,
            "context": model.context_length,
            "device": model.spec.device,
            "precision": model.spec.precision,
            "capabilities": model.capabilities,
            "notes": tuple(getattr(model, "notes", ())),
        }

    def close(self, drain_seconds: float = 0.0) -> None:
        """End all jobs (after letting them run on for `drain_seconds`), give back models and the database."""
        self.jobs.close(drain_seconds)
        if self._manager is not None:
            self._manager.evict()
        if self._store is not None:
            self._store.close()

    def submit(
        self,
        fn: Callable[[JobContext], T | Generator[Any, None, T]],
        spec: ModelSpec,
        *,
        kind: str,
        key: str,
        owner: str,
        replaces: bool = True,
        priority: int = NORMAL,
        view: str = "",
        until: Until = "visit",
        label: str = "",
        size: float | None = None,
    ) -> Job[T]:
        """Queue `fn(context)` on the worker of the device (or of the remote server) that `spec` runs on.

        The rest: see `JobQueue.submit`.
        """
        lane = f"{spec.backend} {spec.path}" if _remote(spec) else spec.device
        return self.jobs.submit(
            fn,
            kind=kind,
            key=key,
            owner=owner,
            replaces=replaces,
            lane=lane,
            priority=priority,
            model=model_key(spec),
            view=view,
            until=until,
            label=label,
            size=size,
        )

    def with_model(
        self,
        fn: Callable[[LanguageModel, JobContext], T],
        spec: ModelSpec,
        *,
        kind: str,
        asks: tuple[Any, ...],
        owner: str,
        replaces: bool = True,
        priority: int = NORMAL,
        view: str = "",
        until: Until = "visit",
        label: str = "",
    ) -> Job[T]:
        """Queue `fn(model, context)` with the model loaded and held, for all that has no method of its own.

        `asks` are the parts of the question (JSON values). With the kind and the exact model they are its
        content address: the same question in flight is the same work.
        """
        spec = self.resolve(spec)

        def work(context: JobContext) -> T:
            with self.model(spec, context) as model:
                return fn(model, context)

        return self.submit(
            work,
            spec,
            kind=kind,
            key=question_key(kind, spec, *asks),
            owner=owner,
            replaces=replaces,
            priority=priority,
            view=view,
            until=until,
            label=label,
        )

    @contextmanager
    def model(self, spec: ModelSpec, context: JobContext) -> Iterator[LanguageModel]:
        """The model of `spec`, loaded and held for this thread. For use inside a job."""

        def progress(fraction: float, message: str) -> None:
            context.progress(None, f"Loading {spec.name}: {message}" if message else f"Loading {spec.name}")

        context.check()
        spec, there = self.allowed(self.resolve(spec)), False
        try:
            with self.manager.get(spec, progress=progress, stop=context.stop) as model:
                there = True
                context.check()
                if not _remote(spec):
                    with stopped_by(model, context):
                        yield model
                    return
        except AppError as fault:
            if there or fault.code != "invalid":
                raise
            # Why a model does not load is never the fault of whoever asks it something.
            raise AppError(fault.message, hint=fault.hint, code="model") from fault
        # A remote model is guarded by its lane alone: waiting for its answer must not hold up this machine.
        yield model

    def fitting(self, tokens: Tokens) -> Tokens:
        """`tokens`, unless they pass the operator's limit."""
        limit = self.settings.sequence_length
        if limit and len(tokens) > limit:
            raise AppError(
                f"The text is {len(tokens):,} tokens long, but this installation takes at most {limit:,}.",
                hint="Shorten the prompt or the answer.",
                code="too_long",
            )
        return tokens

    def quietly(self, save: Callable[[], object]) -> None:
        """What cannot be kept (a full disk) is still shown; `unkept` has the reason until something is kept again."""
        try:
            save()
        except AppError as fault:
            logger.error("A result could not be kept: %s", fault)
            self.unkept = fault
        except Exception:
            logger.exception("A result could not be kept")
        else:
            self.unkept = None

    def storage_fault(self) -> AppError | None:
        """What is wrong with the database or the disk now, asked at most every few seconds; None: nothing."""
        with self._asked:
            if time.monotonic() - self._asked_at > STORAGE_SECONDS:
                try:
                    self._storage_fault = self.store.fault()
                except AppError as fault:
                    self._storage_fault = fault
                self._asked_at = time.monotonic()
            return self._storage_fault


def stopped_by(model: LanguageModel, context: JobContext) -> AbstractContextManager[None]:
    """While it is open, Stop of the job ends a pass of the model within one layer, where it can be ended so."""
    until = getattr(model, "until", None)
    return until(context.stop) if until is not None else nullcontext()


def _remote(spec: ModelSpec) -> bool:
    from core.models import backend

    return backend(spec.backend).remote
