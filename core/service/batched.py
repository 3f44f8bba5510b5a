"""Work that shares a pass: answers to many prompts, and scores of one loss a text as LIT's wire asks for them.

Of scores, whoever's turn it is computes for those who wait as well, where a shared pass is faster
(`docs/decisions/05-batching-salience-requests.md`); they find theirs ready when their turn comes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import AppError, Stopped
from core.jobs import Job, JobContext
from core.records import Generation, GenerationParams, ModelSpec, SalienceRequest, Tokens, digest
from core.service.recent import Recent
from core.service.workshop import NORMAL, Workshop
from core.store.keys import model_key

if TYPE_CHECKING:
    from core.models.language_model import LanguageModel

Scores = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Grad L2 and grad · input of each token, (T,) each."""


@dataclass(frozen=True, eq=False)
class Text:
    """One text and what of it is explained; `model` is the model's key, `key` that of all of it."""

    key: str
    model: str
    tokens: Tokens
    positions: NDArray[np.int64]

    @property
    def reach(self) -> int:
        """How many tokens a pass reads: those before the last explained one."""
        return int(self.positions[-1]) if len(self.positions) else 0


class BatchedScores:
    """Keeps the texts that wait, and the newest scores."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._scores: Recent[Scores] = Recent(workshop.memory_bytes // 8)
        self._waiting: dict[str, Text] = {}
        self._waiting_lock = threading.Lock()

    def both_scores(
        self,
        examples: Sequence[tuple[Tokens, NDArray[np.int64]]],
        spec: ModelSpec,
        *,
        owner: str,
        priority: int = NORMAL,
    ) -> Job[list[Scores]]:
        """A job for grad L2 and grad · input, (T,) each, of the summed loss of some tokens of each example.

        An example is its tokens and the positions to explain (ascending, from 1). Other people's work passes
        between two passes.
        """
        spec = self._workshop.resolve(spec)
        exact = model_key(spec)
        texts = [
            Text(digest("both", exact, tokens.ids.tolist(), where.tolist()), exact, tokens, where)
            for tokens, where in examples
        ]

        def work(context: JobContext) -> list[Scores]:
            found: dict[str, Scores] = {}
            for text in texts:
                if (known := self._scores.get(text.key)) is not None:
                    found[text.key] = known
            while left := [text for text in texts if text.key not in found]:
                context.progress(len(found) / len(texts), "Reading the prompts")
                context.give_way()
                group = self._company(left, spec)
                with self._workshop.model(spec, context) as model:
                    try:
                        scores = _both(model, group, context)
                    except AppError:
                        if len(group) == 1:
                            raise
                        # Whatever was wrong with the company must not spoil the answer to this one.
                        group = group[:1]
                        scores = _both(model, group, context)
                for text, pair in zip(group, scores):
                    found[text.key] = pair
                    self._scores.put(text.key, pair, pair[0].nbytes + pair[1].nbytes)
            return [found[text.key] for text in texts]

        key = digest("both_scores", [text.key for text in texts])
        with self._waiting_lock:
            self._waiting.update((text.key, text) for text in texts)
        job = self._workshop.submit(
            work, spec, kind="salience", key=key, owner=owner, priority=priority, size=len(texts)
        )
        job.on_change(lambda job: self._forget(texts) if job.finished else None)
        return job

    def _company(self, left: Sequence[Text], spec: ModelSpec) -> list[Text]:
        """The longest of `left`, with all of like length that wait, of this job first; at most a batch."""
        with self._waiting_lock:
            model = left[0].model
            mine = {text.key for text in left}
            others = [t for t in self._waiting.values() if t.model == model and t.key not in mine]
        unknown = [text for text in others if self._scores.get(text.key) is None]
        longest = max(left, key=lambda text: text.reach)
        unique = {text.key: text for text in (longest, *left, *unknown)}
        padding = spec.device != "cpu"
        alike = [text for text in unique.values() if near(text.reach, longest.reach, padding=padding)]
        return alike[: self._workshop.settings.batch_size]

    def _forget(self, texts: Sequence[Text]) -> None:
        with self._waiting_lock:
            for text in texts:
                self._waiting.pop(text.key, None)


def near(length: int, longest: int, *, padding: bool) -> bool:
    """Whether two texts of these lengths share a pass.

    On a CPU only equal lengths do: padded batches were measured slower than one text at a time. With
    `padding`, the shorter is at least 3/4 of the longer.
    """
    return 0.75 * longest <= length <= longest if padding else length == longest


def batches(lengths: Sequence[int], size: int, *, padding: bool) -> list[list[int]]:
    """Indices of `lengths` in groups of at most `size` that share a pass, the longest first."""
    groups: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        fits = bool(groups) and near(lengths[index], lengths[groups[-1][0]], padding=padding)
        if fits and len(groups[-1]) < size:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def write_batches(
    hold: Callable[[], AbstractContextManager[LanguageModel]],
    asked: Sequence[Tokens],
    params: GenerationParams,
    size: int,
    stop: threading.Event | None = None,
) -> Iterator[dict[int, Generation]]:
    """Answers by place in `asked`, a batch at a time: prompts of like length share a pass, at most `size`.

    The model is held for a batch only, so that others have turns between two. Raises: Stopped once `stop` is set.
    """
    # Writing goes token by token, where a batch costs little more than a row: worth padding on a CPU too.
    for group in batches([len(tokens) for tokens in asked], size, padding=True):
        with hold() as model:
            made = model.generate_batch([asked[place] for place in group], params, stop=stop)
            if stop is not None and stop.is_set():
                raise Stopped()
        yield dict(zip(group, made))


def _both(
    model: LanguageModel,
    texts: Sequence[Text],
    context: JobContext,
) -> list[Scores]:
    """Grad L2 and grad · input of each text; in one pass where the model is one of transformers."""
    if model.capabilities.gradients and model.spec.backend == "hugging_face":
        from core.salience.batched import together

        return together(model, [(text.tokens.ids, text.positions) for text in texts])
    return [
        (_one(model, "grad_l2", text, context), _one(model, "grad_dot_input", text, context))
        for text in texts
    ]


def _one(model: LanguageModel, name: str, text: Text, context: JobContext) -> NDArray[np.float32]:
    """Scores (T,) of the summed loss at `positions`, combined exactly from one row each."""
    from core.aggregate import select
    from core.salience import method

    ids = tuple(int(i) for i in text.tokens.ids)
    targets = tuple((int(position), int(position) + 1) for position in text.positions)
    if not targets:
        return np.zeros(len(ids), np.float32)
    request = SalienceRequest(model.spec, ids, text.tokens.prompt_len, name, targets)
    matrix = method(name).run(model, request, tokens=text.tokens, stop=context.stop)
    return select(matrix, np.ones(len(targets), np.float32))
