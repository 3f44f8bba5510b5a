"""Salience maps: the full matrix coarse to fine, one clicked span at once, and what is known of either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import AppError
from core.jobs import Job, JobContext
from core.records import ModelSpec, Option, SalienceMatrix, SalienceRequest, Tokens
from core.salience import told
from core.service.recent import Recent
from core.service.workshop import CLICK, NORMAL, Workshop
from core.store.keys import model_key

if TYPE_CHECKING:
    from core.models.language_model import LanguageModel

Span = tuple[int, int]
Options = Sequence[tuple[str, Option]]
SPAN = "salience of a span"
"""Kind of the jobs of a click: they replace each other, not the matrix."""


class Maps:
    """Found by content, else computed, and kept."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._matrices: Recent[SalienceMatrix] = Recent(workshop.memory_bytes)
        self._spans: Recent[NDArray[np.float32]] = Recent(workshop.memory_bytes // 8)

    def request(self, tokens: Tokens, spec: ModelSpec, method: str, options: Options = ()) -> SalienceRequest:
        """The question "why each part of the response": one row a token, grouped where memory asks for it."""
        targets, _ = self._plan(tokens, spec)
        ids = tuple(int(i) for i in tokens.ids)
        return SalienceRequest(
            self._workshop.resolve(spec),
            ids,
            tokens.prompt_len,
            method,
            tuple(targets),
            told(method, options),
        )

    def note(self, tokens: Tokens, spec: ModelSpec) -> str:
        """What to tell the person when rows were grouped to fit; empty when they were not."""
        return self._plan(tokens, spec)[1]

    def _plan(self, tokens: Tokens, spec: ModelSpec) -> tuple[tuple[Span, ...], str]:
        from core.models import backend
        from core.salience import plan_rows

        return plan_rows(tokens, self._workshop.settings.salience_budget_bytes, backend(spec.backend).rows)

    def known(self, request: SalienceRequest) -> SalienceMatrix | None:
        """The matrix if it is known: from memory, from disk, or as it ships. Loads no model."""
        key = request.key
        found = self._matrices.get(key)
        if found is None and (found := self._workshop.store.salience(key)) is not None:
            self._matrices.put(key, found, _matrix_bytes(found))
        return found

    def fill(
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
        Later clicks are for `span`, which runs between two rows of this.
        """
        request = self.request(tokens, spec, method, options)
        return self._matrix_job(request, tokens, owner=owner, first=first, priority=priority)

    def explain(
        self, request: SalienceRequest, tokens: Tokens, *, owner: str, replaces: bool = False
    ) -> Job[SalienceMatrix]:
        """A job for exactly `request`, whatever its rows."""
        return self._matrix_job(request, tokens, owner=owner, replaces=replaces)

    def span(
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
        spec = self._workshop.resolve(spec)
        ids = tuple(int(i) for i in tokens.ids)
        request = SalienceRequest(spec, ids, tokens.prompt_len, method, (span,), told(method, options))

        def work(model: LanguageModel, context: JobContext) -> NDArray[np.float32]:
            return self._span(model, request, tokens, context)

        return self._workshop.with_model(
            work,
            spec,
            kind=SPAN,
            asks=(request.key,),
            owner=owner,
            priority=CLICK,
            beside=model_key(spec),
        )

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
            found = self.known(request)
            return found if found is not None else self._computed(request, tokens, first, context)

        return self._workshop.submit(
            work,
            request.model,
            kind="salience",
            key=f"{request.key} {first}",
            owner=owner,
            replaces=replaces,
            priority=priority,
        )

    def _computed(
        self, request: SalienceRequest, tokens: Tokens, first: Span | None, context: JobContext
    ) -> SalienceMatrix:
        from core.salience import method

        spec, total = request.model, len(request.targets)
        partial: dict[str, Any] = {}
        rows = np.zeros((total, len(request.ids)), np.float32)
        reached = 0.0

        def on_progress(fraction: float) -> None:
            nonlocal reached
            reached = max(reached, fraction)
            context.progress(reached, "Looking at the prompt", partial=dict(partial) or None)
            context.give_way(beside=model_key(spec))

        def on_row(index: int, values: NDArray[np.float32]) -> None:
            done = index + 1
            rows[index] = values
            # A view: rows below `done` are not written again.
            partial.update(targets=request.targets[:done], values=rows[:done])
            on_progress(done / total)

        with self._workshop.model(spec, context) as model:
            if first is not None and request.targets != (first,):
                scores = self._span(model, replace(request, targets=(first,)), tokens, context)
                partial.update(span=first, scores=scores)
                context.progress(0.0, "Looking at the prompt", partial=dict(partial))
                context.check()
            matrix = method(request.method).run(
                model, request, tokens=tokens, on_row=on_row, on_progress=on_progress, stop=context.stop
            )
        context.check()
        self._matrices.put(request.key, matrix, _matrix_bytes(matrix))
        self._workshop.quietly(lambda: self._workshop.store.save_salience(matrix))
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


def _matrix_bytes(matrix: SalienceMatrix) -> int:
    return matrix.values.nbytes + (0 if matrix.gram is None else matrix.gram.nbytes)
