"""What pages, the server and scripts ask for: answers, scores and salience, as jobs, each computed once.

Every question is looked up by content first: in memory, in the store, in the bundle that ships in
`data/precomputed`. Only what is nowhere becomes a job, and only a job imports torch, so a first page paints
before it. This module knows no page, no tensor and no formula; it decides what runs, in which order, and
what is kept.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.errors import AppError
from core.jobs import Job, JobContext, JobQueue
from core.records import (
    Generation,
    GenerationParams,
    Message,
    ModelSpec,
    Option,
    SalienceMatrix,
    SalienceRequest,
    Tokens,
    digest,
)
from core.settings import ROOT, Settings
from core.settings import settings as default_settings
from core.store.keys import generation_key, model_key

if TYPE_CHECKING:
    from core.models.base import LanguageModel
    from core.models.manager import ModelManager
    from core.store.store import Store

T = TypeVar("T")
Prompt = str | Sequence[Message]
Span = tuple[int, int]
Options = Sequence[tuple[str, Option]]

MEMORY_BYTES = 512 * 1024 * 1024
"""What the newest matrices may hold in memory, and the newest answers as much again."""
BULK, NORMAL, CLICK = -10, 0, 10
"""Priorities: work over many examples lets everything else pass between two of them; clicks go first."""
SPAN = "salience of a span"

logger = logging.getLogger(__name__)


class Recent(Generic[T]):
    """The newest records by key, up to a number of bytes (always at least one); for any thread."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._held: OrderedDict[str, tuple[T, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: str) -> T | None:
        with self._lock:
            if key not in self._held:
                return None
            self._held.move_to_end(key)
            return self._held[key][0]

    def put(self, key: str, value: T, size: int) -> None:
        with self._lock:
            self._bytes += size - self._held.pop(key, (None, 0))[1]
            self._held[key] = value, size
            while self._bytes > self.max_bytes and len(self._held) > 1:
                self._bytes -= self._held.popitem(last=False)[1][1]


class Service:
    """One a process. Cheap to make: the database is opened and a model loaded at first use."""

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
        self._generations: Recent[Generation] = Recent(memory_bytes)
        self._matrices: Recent[SalienceMatrix] = Recent(memory_bytes)
        self._spans: Recent[NDArray[np.float32]] = Recent(memory_bytes // 8)
        self._revisions: dict[tuple[object, ...], str] = {}

    # -- what there is -------------------------------------------------------------------------------------

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
        from core.models.presets import configured_specs

        return tuple(self.resolve(spec) for spec in configured_specs(self.settings))

    def spec(self) -> ModelSpec:
        """The default model."""
        return self.specs()[0]

    def resolve(self, spec: ModelSpec) -> ModelSpec:
        """`spec` as its keys need it: a local folder's present revision, and no machine's path for ours.

        A folder inside the project is named from the project's root, so that what ships precomputed is found
        wherever the project stands.
        """
        if spec.backend != "hugging_face":
            return spec
        path = Path(spec.path).expanduser()
        if path.is_absolute() and path.is_relative_to(ROOT):
            spec = replace(spec, path=path.relative_to(ROOT).as_posix())
        path = ROOT / path
        if spec.revision or not path.is_dir():
            return spec
        from core.models import folder

        seen = (spec.path, *sorted((f.name, f.stat().st_mtime_ns) for f in path.iterdir() if f.is_file()))
        if seen not in self._revisions:
            self._revisions[seen] = folder.revision(path)
        return replace(spec, revision=self._revisions[seen])

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
        }

    def close(self, drain_seconds: float = 0.0) -> None:
        """End all jobs (after letting them run on for `drain_seconds`), give back models and the database."""
        self.jobs.close(drain_seconds)
        if self._manager is not None:
            self._manager.evict()
        if self._store is not None:
            self._store.close()

    # -- jobs ----------------------------------------------------------------------------------------------

    def submit(
        self,
        fn: Callable[[JobContext], T],
        spec: ModelSpec,
        *,
        kind: str,
        key: str,
        owner: str,
        replaces: bool = True,
        priority: int = NORMAL,
        beside: str = "",
    ) -> Job[T]:
        """Queue `fn(context)` on the worker of the device (or of the remote server) that `spec` runs on."""
        lane = f"{spec.backend} {spec.path}" if _remote(spec) else spec.device
        return self.jobs.submit(
            fn,
            kind=kind,
            key=key,
            owner=owner,
            replaces=replaces,
            lane=lane,
            priority=priority,
            beside=beside,
        )

    def with_model(
        self,
        fn: Callable[[LanguageModel, JobContext], T],
        spec: ModelSpec,
        *,
        kind: str,
        key: str,
        owner: str,
        replaces: bool = True,
        priority: int = NORMAL,
        beside: str = "",
    ) -> Job[T]:
        """Queue `fn(model, context)` with the model loaded and held, for all that has no method of its own.

        `key` is the content address of the question: the same key in flight is the same work.
        """

        def work(context: JobContext) -> T:
            with self.model(spec, context) as model:
                return fn(model, context)

        return self.submit(
            work,
            spec,
            kind=kind,
            key=key,
            owner=owner,
            replaces=replaces,
            priority=priority,
            beside=beside,
        )

    @contextmanager
    def model(self, spec: ModelSpec, context: JobContext) -> Iterator[LanguageModel]:
        """The model of `spec`, loaded and held for this thread. For use inside a job."""

        def progress(fraction: float, message: str) -> None:
            context.progress(None, f"Loading {spec.name}: {message}" if message else f"Loading {spec.name}")

        context.check()
        spec = self.resolve(spec)
        with self.manager.get(spec, progress=progress, stop=context.stop) as model:
            context.check()
            if not _remote(spec):
                yield model
                return
        # A remote model is guarded by its lane alone: waiting for its answer must not hold up this machine.
        yield model

    # -- answers -------------------------------------------------------------------------------------------

    def cached_generation(
        self,
        prompt: Prompt,
        spec: ModelSpec,
        params: GenerationParams | None = None,
        *,
        response: str | None = None,
        example_id: str = "",
    ) -> Generation | None:
        """The answer (with `response`: the score of that typed answer) if it is known. Loads no model."""
        key = generation_key(prompt, self.resolve(spec), params or GenerationParams(), response)
        found = self._generations.get(key)
        if found is None and (found := self.store.generation(key)) is not None:
            self._remember(key, found)
        return replace(found, example_id=example_id) if found is not None and example_id else found

    def generate(
        self,
        prompt: Prompt,
        spec: ModelSpec,
        params: GenerationParams | None = None,
        *,
        owner: str,
        example_id: str = "",
        response: str | None = None,
        priority: int = NORMAL,
    ) -> Job[Generation]:
        """A job for what the model writes; `partial` is the text so far. With `response`, as `score`.

        After Stop the job's `result` is the answer up to there (stop reason "stopped"); it is not kept.
        """
        if response is not None:
            return self.score(prompt, response, spec, owner=owner, example_id=example_id, priority=priority)
        spec, params, prompt = self.resolve(spec), params or GenerationParams(), _frozen(prompt)
        key = generation_key(prompt, spec, params)

        def work(context: JobContext) -> Generation:
            found = self.cached_generation(prompt, spec, params)
            if found is None:
                with self.model(spec, context) as model:
                    tokens = self.fitting(model.tokenize(prompt))
                    context.progress(0.0, "Writing", partial="")
                    found = model.generate(
                        tokens, params, on_text=_writer(context, params), stop=context.stop
                    )
                self._keep_generation(key, found, prompt, context)
            return replace(found, example_id=example_id)

        return self.submit(
            work, spec, kind="generate", key=f"{key} {example_id}", owner=owner, priority=priority
        )

    def score(
        self,
        prompt: Prompt,
        response: str,
        spec: ModelSpec,
        *,
        owner: str,
        example_id: str = "",
        priority: int = NORMAL,
    ) -> Job[Generation]:
        """A job for a typed answer: its tokens and how likely the model finds each; nothing is written."""
        spec, prompt, params = self.resolve(spec), _frozen(prompt), GenerationParams()
        key = generation_key(prompt, spec, params, response)

        def work(context: JobContext) -> Generation:
            found = self.cached_generation(prompt, spec, params, response=response)
            if found is None:
                with self.model(spec, context) as model:
                    context.progress(None, "Reading the answer")
                    tokens = self.fitting(model.tokenize(prompt, response))
                    found = _scored(model, tokens, response, params)
                self._keep_generation(key, found, prompt, context)
            return replace(found, example_id=example_id)

        return self.submit(
            work, spec, kind="generate", key=f"{key} {example_id}", owner=owner, priority=priority
        )

    def generate_many(
        self,
        prompts: Sequence[tuple[str, Prompt]],
        spec: ModelSpec,
        params: GenerationParams | None = None,
        *,
        owner: str,
        priority: int = BULK,
    ) -> Job[dict[str, Generation]]:
        """A job for the answers to `(example id, prompt)` pairs; `partial` is those so far, by example id.

        Goes in batches of like length, keeps each batch at once, and lets other people's work pass between
        two batches; what is known already costs nothing, so stopping and asking again goes on.
        """
        spec, params = self.resolve(spec), params or GenerationParams()
        asked = [(name, _frozen(prompt)) for name, prompt in prompts]
        keys = {name: generation_key(prompt, spec, params) for name, prompt in asked}
        size = self.settings.batch_size

        def work(context: JobContext) -> dict[str, Generation]:
            done: dict[str, Generation] = {}
            for name, prompt in asked:
                found = self.cached_generation(prompt, spec, params, example_id=name)
                if found is not None:
                    done[name] = found
            left = [(name, prompt) for name, prompt in asked if name not in done]
            tokens: dict[str, Tokens] = {}
            if left:
                with self.model(spec, context) as model:
                    tokens = {name: self.fitting(model.tokenize(prompt)) for name, prompt in left}
            left.sort(key=lambda item: len(tokens[item[0]]))
            for start in range(0, len(left), size):
                context.progress(len(done) / len(asked), "Writing answers", partial=dict(done))
                context.give_way()
                batch = left[start : start + size]
                with self.model(spec, context) as model:
                    made = model.generate_batch(
                        [tokens[name] for name, _ in batch], params, stop=context.stop
                    )
                context.check()
                for (name, prompt), generation in zip(batch, made):
                    self._keep_generation(keys[name], generation, prompt, context)
                    done[name] = replace(generation, example_id=name)
            return {name: done[name] for name, _ in asked}

        key = digest("generate_many", model_key(spec), sorted(keys.items()))
        return self.submit(work, spec, kind="generate_many", key=key, owner=owner, priority=priority)

    # -- salience ------------------------------------------------------------------------------------------

    def salience_request(
        self, tokens: Tokens, spec: ModelSpec, method: str, options: Options = ()
    ) -> SalienceRequest:
        """The question "why each part of the response": one row a token, grouped where memory asks for it."""
        from core.salience import plan

        targets, _ = plan(tokens, self.settings.salience_budget_bytes)
        ids = tuple(int(i) for i in tokens.ids)
        return SalienceRequest(
            self.resolve(spec), ids, tokens.prompt_len, method, tuple(targets), tuple(sorted(options))
        )

    def salience_note(self, tokens: Tokens) -> str:
        """What to tell the person when rows were grouped to fit the memory; empty when they were not."""
        from core.salience import plan

        return plan(tokens, self.settings.salience_budget_bytes)[1]

    def cached_salience(self, request: SalienceRequest) -> SalienceMatrix | None:
        """The matrix if it is known: from memory, from disk, or as it ships. Loads no model."""
        key = request.key
        found = self._matrices.get(key)
        if found is None and (found := self.store.salience(key)) is not None:
            self._matrices.put(key, found, _matrix_bytes(found))
        return found

    def salience(
        self,
        tokens: Tokens,
        spec: ModelSpec,
        method: str,
        *,
        owner: str,
        options: Options = (),
        first: Span | None = None,
        priority: int = NORMAL,
    ) -> Job[SalienceMatrix]:
        """A job for the full matrix, coarse to fine.

        `partial` is a dict: `span` and `scores` (T,) of the clicked `first` (one backward pass, at once), and
        `targets` with `values` (rows so far, T) of the matrix as it fills, in the order of the targets.
        Later clicks are for `span_salience`, which runs between two rows of this.
        """
        request = self.salience_request(tokens, spec, method, options)
        return self._matrix_job(request, tokens, owner=owner, first=first, priority=priority)

    def explain(
        self, request: SalienceRequest, tokens: Tokens, *, owner: str, replaces: bool = False
    ) -> Job[SalienceMatrix]:
        """A job for exactly `request`, whatever its rows."""
        return self._matrix_job(request, tokens, owner=owner, replaces=replaces)

    def span_salience(
        self,
        tokens: Tokens,
        spec: ModelSpec,
        method: str,
        span: Span,
        *,
        owner: str,
        options: Options = (),
    ) -> Job[NDArray[np.float32]]:
        """A job for one span by one backward pass, ahead of all other work: scores (T,)."""
        spec = self.resolve(spec)
        ids = tuple(int(i) for i in tokens.ids)
        request = SalienceRequest(spec, ids, tokens.prompt_len, method, (span,), tuple(sorted(options)))

        def work(model: LanguageModel, context: JobContext) -> NDArray[np.float32]:
            return self._span(model, request, tokens, context)

        return self.with_model(
            work,
            spec,
            kind=SPAN,
            key=request.key,
            owner=owner,
            priority=CLICK,
            beside=model_key(spec),
        )

    def both_scores(
        self,
        examples: Sequence[tuple[Tokens, NDArray[np.int64]]],
        spec: ModelSpec,
        *,
        owner: str,
        priority: int = NORMAL,
    ) -> Job[list[tuple[NDArray[np.float32], NDArray[np.float32]]]]:
        """A job for grad L2 and grad · input, (T,) each, of the summed loss of some tokens of each example.

        An example is its tokens and the positions to explain (ascending, from 1). Examples share a pass where
        that is faster; other people's work passes between two passes.
        """
        spec = self.resolve(spec)

        def work(context: JobContext) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
            found: dict[int, tuple[NDArray[np.float32], NDArray[np.float32]]] = {}
            reach = [int(positions[-1]) if len(positions) else 0 for _, positions in examples]
            for group in batches(reach, self.settings.batch_size, padding=spec.device != "cpu"):
                context.progress(len(found) / len(examples), "Looking at the prompts")
                context.give_way()
                with self.model(spec, context) as model:
                    scores = _both(model, [examples[index] for index in group], context)
                found.update(zip(group, scores))
            return [found[index] for index in range(len(examples))]

        asked = [(tokens.ids.tolist(), positions.tolist()) for tokens, positions in examples]
        key = digest("both_scores", model_key(spec), asked)
        return self.submit(work, spec, kind="salience", key=key, owner=owner, priority=priority)

    def _matrix_job(
        self,
        request: SalienceRequest,
        tokens: Tokens,
        *,
        owner: str,
        first: Span | None = None,
        replaces: bool = True,
        priority: int = NORMAL,
    ) -> Job[SalienceMatrix]:
        def work(context: JobContext) -> SalienceMatrix:
            if not request.targets:
                raise AppError("The answer is empty, so there is nothing to explain.", hint="Run it again.")
            found = self.cached_salience(request)
            return found if found is not None else self._fill(request, tokens, first, context)

        return self.submit(
            work,
            request.model,
            kind="salience",
            key=f"{request.key} {first}",
            owner=owner,
            replaces=replaces,
            priority=priority,
        )

    def _fill(
        self, request: SalienceRequest, tokens: Tokens, first: Span | None, context: JobContext
    ) -> SalienceMatrix:
        from core.salience import method

        spec, total = request.model, len(request.targets)
        partial: dict[str, Any] = {}
        rows = np.zeros((total, len(request.ids)), np.float32)

        def on_row(index: int, values: NDArray[np.float32]) -> None:
            done = index + 1
            rows[index] = values
            # A view: rows below `done` are not written again.
            partial.update(targets=request.targets[:done], values=rows[:done])
            context.progress(done / total, "Looking at the prompt", partial=dict(partial))
            context.give_way(beside=model_key(spec))

        with self.model(spec, context) as model:
            if first is not None and request.targets != (first,):
                scores = self._span(model, replace(request, targets=(first,)), tokens, context)
                partial.update(span=first, scores=scores)
                context.progress(0.0, "Looking at the prompt", partial=dict(partial))
                context.check()
            matrix = method(request.method).run(
                model, request, tokens=tokens, on_row=on_row, stop=context.stop
            )
        context.check()
        self._matrices.put(request.key, matrix, _matrix_bytes(matrix))
        self._quietly(lambda: self.store.save_salience(matrix))
        return matrix

    def _span(
        self, model: LanguageModel, request: SalienceRequest, tokens: Tokens, context: JobContext
    ) -> NDArray[np.float32]:
        """Scores (T,) of a request with one target."""
        from core.salience import method

        found = self._spans.get(request.key)
        if found is None:
            run = method(request.method).run
            found = run(model, request, tokens=tokens, stop=context.stop).values[0]
            self._spans.put(request.key, found, found.nbytes)
        return found

    # -- within --------------------------------------------------------------------------------------------

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

    def _remember(self, key: str, generation: Generation) -> None:
        self._generations.put(key, generation, 64 * len(generation.tokens) + 4 * len(generation.tokens.text))

    def _keep_generation(self, key: str, generation: Generation, prompt: Prompt, context: JobContext) -> None:
        if generation.stop_reason != "stopped" and not context.stop.is_set():
            self._remember(key, generation)
            self._quietly(lambda: self.store.save_generation(key, generation, prompt=prompt))

    def _quietly(self, save: Callable[[], object]) -> None:
        """What cannot be kept (a full disk) is still shown; the log says why it will be computed again."""
        try:
            save()
        except Exception:
            logger.exception("A result could not be kept")


def _remote(spec: ModelSpec) -> bool:
    from core.models import backend

    return backend(spec.backend).remote


def _frozen(prompt: Prompt) -> Prompt:
    return prompt if isinstance(prompt, str) else tuple(prompt)


def _writer(context: JobContext, params: GenerationParams) -> Callable[[str], None]:
    """Shows the text so far; progress counts tokens against the longest answer allowed."""
    written = 0

    def on_text(text: str) -> None:
        nonlocal written
        written += 1
        context.progress(min(1.0, written / params.max_new_tokens), "Writing", partial=text)

    return on_text


def _scored(model: LanguageModel, tokens: Tokens, response: str, params: GenerationParams) -> Generation:
    """The record of a typed answer; a model without log-probabilities leaves them NaN."""
    rows = len(tokens) - tokens.prompt_len
    known = model.capabilities.logprobs
    logprobs = model.logprobs(tokens) if known else np.full(rows, np.nan, np.float32)
    return Generation("", model.spec, params, tokens, response, logprobs, "eos", 0.0)


def batches(lengths: Sequence[int], size: int, *, padding: bool) -> list[list[int]]:
    """Indices of `lengths` in groups of at most `size` to run together, each group of like length.

    Without `padding` a group has one length: on a CPU, padded batches were measured slower than one text at
    a time (`docs/decisions`), and only equal lengths faster. With it, the shortest is at least 3/4 of the
    longest.
    """
    groups: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        longest = lengths[groups[-1][0]] if groups else 0
        near = lengths[index] >= 0.75 * longest if padding else lengths[index] == longest
        if groups and near and len(groups[-1]) < size:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def _both(
    model: LanguageModel,
    examples: Sequence[tuple[Tokens, NDArray[np.int64]]],
    context: JobContext,
) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Grad L2 and grad · input of each example; in one pass where the model is one of transformers."""
    if model.capabilities.gradients and model.spec.backend == "hugging_face":
        from core.salience.together import together

        return together(model, [(tokens.ids, positions) for tokens, positions in examples])
    return [
        (_one(model, "grad_l2", *example, context), _one(model, "grad_dot_input", *example, context))
        for example in examples
    ]


def _one(
    model: LanguageModel, name: str, tokens: Tokens, positions: NDArray[np.int64], context: JobContext
) -> NDArray[np.float32]:
    """Scores (T,) of the summed loss at `positions`, combined exactly from one row each."""
    from core.aggregate import select
    from core.salience import method

    ids = tuple(int(i) for i in tokens.ids)
    targets = tuple((int(position), int(position) + 1) for position in positions)
    if not targets:
        return np.zeros(len(ids), np.float32)
    request = SalienceRequest(model.spec, ids, tokens.prompt_len, name, targets)
    matrix = method(name).run(model, request, tokens=tokens, stop=context.stop)
    return select(matrix, np.ones(len(targets), np.float32))


def _matrix_bytes(matrix: SalienceMatrix) -> int:
    return matrix.values.nbytes + (0 if matrix.gram is None else matrix.gram.nbytes)
