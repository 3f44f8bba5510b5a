"""Salience maps: rows as they are asked for, each kept as it comes; a clicked span at once; what is known.

A map has a row for each part of the answer that is shown (a token, a line), not for each token whatever is
shown. The job goes row by row (`core.jobs`: others have turns in between): first the part that was clicked,
then whatever was clicked since, then the others in reading order. Rows of all methods that read the same
gradients come together, so asking a second such method joins the same work or finds it done.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import AppError
from core.jobs import Job, JobContext, Until
from core.records import ModelSpec, Option, SalienceMatrix, SalienceRequest, Tokens, digest
from core.salience import told
from core.service.recent import Recent
from core.service.workshop import CLICK, LATER, NORMAL, Workshop
from core.store.keys import model_key

if TYPE_CHECKING:
    from core.models.language_model import LanguageModel
    from core.salience import Method
    from core.salience.gradient_rows import GradientRows

Span = tuple[int, int]
Options = Sequence[tuple[str, Option]]
Matrices = Mapping[str, SalienceMatrix]
"""By method: the one that was asked for, and those that read the same gradients."""
Steps = Generator[None, None, Matrices]
SPAN = "salience of a span"
"""Kind of the jobs of a click: they replace each other, not the matrix."""
MESSAGE = "Computing the map"


@dataclass(frozen=True, slots=True)
class RowsSoFar:
    """The rows of a map that are there: by method and token span, scores (T,)."""

    rows: Mapping[str, Mapping[Span, NDArray[np.float32]]] = field(default_factory=dict)

    def of(self, method: str) -> Mapping[Span, NDArray[np.float32]]:
        return self.rows.get(method, {})


class Maps:
    """Found by content, else computed, and kept."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._matrices: Recent[SalienceMatrix] = Recent(workshop.memory_bytes)
        self._spans: Recent[NDArray[np.float32]] = Recent(workshop.memory_bytes // 8)
        self._next: dict[str, list[Span]] = {}
        """What was clicked since, newest last, by the key of the work under way."""
        self._lock = threading.Lock()

    def request(
        self,
        tokens: Tokens,
        spec: ModelSpec,
        method: str,
        options: Options = (),
        rows: Sequence[Span] | None = None,
    ) -> SalienceRequest:
        """The question "why each part of the response": `rows` are its token spans.

        None: one row a token. Where the memory budget asks for it they are grouped (`note`).
        """
        targets, _ = self._plan(tokens, spec, rows)
        ids = tuple(int(i) for i in tokens.ids)
        return SalienceRequest(
            self._workshop.resolve(spec), ids, tokens.prompt_len, method, targets, told(method, options)
        )

    def note(self, tokens: Tokens, spec: ModelSpec, rows: Sequence[Span] | None = None) -> str:
        """What to tell the person when rows were grouped to fit; empty when they were not."""
        return self._plan(tokens, spec, rows)[1]

    def _plan(
        self, tokens: Tokens, spec: ModelSpec, rows: Sequence[Span] | None
    ) -> tuple[tuple[Span, ...], str]:
        from core.models import backend
        from core.salience import plan_rows

        budget, most = self._workshop.settings.salience_budget_bytes, backend(spec.backend).rows
        return plan_rows(tokens, budget, most, rows)

    def known(self, request: SalienceRequest) -> SalienceMatrix | None:
        """The matrix if it is known: from memory, from disk, or as it ships. Loads no model."""
        key = request.key
        found = self._matrices.get(key)
        if found is None and (found := self._workshop.store.salience(key)) is not None:
            self._matrices.put(key, found, _matrix_bytes(found))
        return found

    def known_for(
        self, tokens: Tokens, spec: ModelSpec, method: str, options: Options, rows: Sequence[Span]
    ) -> SalienceMatrix | None:
        """A matrix that tells all of `rows`: the one with a row a token where it is known, else theirs."""
        finest = self.request(tokens, spec, method, options)
        found = self.known(finest)
        shown = self.request(tokens, spec, method, options, rows)
        return found if found is not None or shown == finest else self.known(shown)

    def fill(
        self,
        tokens: Tokens,
        spec: ModelSpec,
        method: str,
        *,
        owner: str,
        options: Options = (),
        rows: Sequence[Span] | None = None,
        first: Span | None = None,
        priority: int = NORMAL,
        rest: int = LATER,
        view: str = "",
        until: Until = "visit",
        label: str = "",
    ) -> Job[Matrices]:
        """A job for the map of `rows` (None: one a token): the row of `first`, then the others.

        `partial` is a `RowsSoFar`. After the first row the job has the priority `rest`: others' answers and
        loads go before it. Clicks on further rows are for `prefer`; on any other span, for `span`.
        """
        request = self.request(tokens, spec, method, options, rows)
        return self._job(
            request, tokens, owner=owner, first=first, priority=priority, rest=rest,
            view=view, until=until, label=label,
        )  # fmt: skip

    def explain(
        self, request: SalienceRequest, tokens: Tokens, *, owner: str, replaces: bool = False, **wanted: Any
    ) -> Job[Matrices]:
        """A job for exactly `request`, whatever its rows. `wanted`: see `fill`."""
        return self._job(request, tokens, owner=owner, replaces=replaces, **wanted)

    def prefer(self, job: Job[Matrices], span: Span) -> None:
        """`span` was clicked: where it is a row of the job's map, it is computed next."""
        with self._lock:
            if not job.finished:
                wanted = self._next.setdefault(job.key, [])
                if span in wanted:
                    wanted.remove(span)
                wanted.append(span)

    def known_span(self, request: SalienceRequest) -> NDArray[np.float32] | None:
        """Scores (T,) of a request with one target, where they are in memory."""
        return self._spans.get(request.key)

    def span(
        self,
        tokens: Tokens,
        spec: ModelSpec,
        method: str,
        span: Span,
        *,
        owner: str,
        options: Options = (),
        view: str = "",
        until: Until = "visit",
    ) -> Job[NDArray[np.float32]]:
        """A job for one span by one backward pass, ahead of all other work: scores (T,)."""
        spec = self._workshop.resolve(spec)
        ids = tuple(int(i) for i in tokens.ids)
        request = SalienceRequest(spec, ids, tokens.prompt_len, method, (span,), told(method, options))

        def work(model: LanguageModel, context: JobContext) -> NDArray[np.float32]:
            found = self._spans.get(request.key)
            if found is None:
                found = self._one_row(model, request, tokens, context)
            return found

        return self._workshop.with_model(
            work, spec, kind=SPAN, asks=(request.key,), owner=owner, priority=CLICK,
            view=view, until=until, label="A part of the answer",
        )  # fmt: skip

    # -- within the module ---------------------------------------------------------------------------------

    def _job(
        self,
        request: SalienceRequest,
        tokens: Tokens,
        *,
        owner: str,
        first: Span | None = None,
        replaces: bool = True,
        priority: int = NORMAL,
        rest: int = LATER,
        view: str = "",
        until: Until = "visit",
        label: str = "",
    ) -> Job[Matrices]:
        key = digest("map", self._pass_of(request), request.targets)

        def work(context: JobContext) -> Steps:
            if not request.targets:
                raise AppError("The answer is empty, so there is nothing to explain.", hint="Run it again.")
            found = self.known(request)
            if found is not None:
                return {request.method: found}
            made = yield from self._computed(request, tokens, key, context, rest)
            for matrix in made.values():
                self._keep(matrix)
            return made

        job: Job[Matrices] = self._workshop.submit(
            work, request.model, kind="salience", key=key, owner=owner, replaces=replaces, priority=priority,
            view=view, until=until, label=label or MESSAGE, size=1,
        )  # fmt: skip
        job.on_change(self._forget)
        if first is not None:
            self.prefer(job, first)
        return job

    def _forget(self, job: Job[Matrices]) -> None:
        if job.finished:
            with self._lock:
                self._next.pop(job.key, None)

    def _pass_of(self, request: SalienceRequest) -> str:
        """Content address of what is computed once for all methods that read the same gradients."""
        from core.salience import readers

        names = [member.name for member in readers(request.method)]
        return digest(replace(request, method="", targets=()).key, names or [request.method])

    def _computed(
        self, request: SalienceRequest, tokens: Tokens, key: str, context: JobContext, rest: int
    ) -> Steps:
        from core.salience import method, readers

        asked, members = method(request.method), readers(request.method)
        with self._workshop.model(request.model, context) as model:
            context.progress(0.0, MESSAGE)
            if not members or not getattr(model.capabilities, asked.needs):
                return {request.method: self._whole(model, asked, request, tokens, key, context)}
            from core.salience.gradient_rows import GradientRows

            rows = GradientRows(request, members, self._workshop.settings.kept_pass_bytes)
            size = 1
        total = len(request.targets)
        while len(rows.there) < total:
            with self._workshop.model(request.model, context) as model:
                self._step(model, rows, self._order(rows, key)[:size], context)
                size = rows.rows_a_step(model)
                if len(rows.there) == total:
                    rows.done(model)  # type: ignore[arg-type]
                    return rows.matrices()
            context.lower(rest)
            yield
        raise AssertionError("unreachable")

    def _step(
        self, model: LanguageModel, rows: GradientRows, chosen: Sequence[int], context: JobContext
    ) -> None:
        rows.compute(model, chosen, context.stop)  # type: ignore[arg-type]
        request, there = rows.request, sorted(rows.there)
        for name, scores in rows.scores.items():
            for row in chosen:
                one = replace(request, method=name, targets=(request.targets[row],))
                self._spans.put(one.key, scores[row].copy(), scores[row].nbytes)
        so_far = {
            name: {request.targets[row]: scores[row] for row in there} for name, scores in rows.scores.items()
        }
        said = f"{MESSAGE}: {len(there):,} of {len(request.targets):,} parts"
        context.progress(len(there) / len(request.targets), said, partial=RowsSoFar(so_far))
        context.check()

    def _order(self, rows: GradientRows, key: str) -> list[int]:
        """Rows that are not there yet: what was clicked last first, then in reading order."""
        with self._lock:
            wanted = list(reversed(self._next.get(key, [])))
        targets = rows.request.targets
        place = {span: at for at, span in enumerate(wanted)}
        left = [row for row in range(len(targets)) if row not in rows.there]
        return sorted(left, key=lambda row: (place.get(targets[row], len(wanted)), row))

    def _whole(
        self,
        model: LanguageModel,
        member: Method,
        request: SalienceRequest,
        tokens: Tokens,
        key: str,
        context: JobContext,
    ) -> SalienceMatrix:
        """By a method of another kind, or of a model elsewhere: in one piece, letting clicks pass."""
        rows: dict[Span, NDArray[np.float32]] = {}
        reached = 0.0
        with self._lock:
            first = next(reversed(self._next.get(key, [])), None)
        if first is not None and not member.late and request.targets != (first,):
            # One row more than the rows themselves: worth it only where rows cost less than all together.
            rows[first] = self._one_row(model, replace(request, targets=(first,)), tokens, context)
            context.progress(0.0, MESSAGE, partial=RowsSoFar({request.method: dict(rows)}))

        def on_progress(fraction: float) -> None:
            nonlocal reached
            reached = max(reached, fraction)
            partial = RowsSoFar({request.method: dict(rows)}) if rows else None
            context.progress(reached, MESSAGE, partial=partial)
            context.give_way(model_key(request.model))

        def on_row(index: int, values: NDArray[np.float32]) -> None:
            rows[request.targets[index]] = np.array(values)
            on_progress((index + 1) / len(request.targets))

        made = member.run(
            model, request, tokens=tokens, on_row=on_row, on_progress=on_progress, stop=context.stop
        )
        context.check()
        return made

    def _one_row(
        self, model: LanguageModel, request: SalienceRequest, tokens: Tokens, context: JobContext
    ) -> NDArray[np.float32]:
        """Scores (T,) of a request with one target; those of all methods that read its gradients are kept."""
        from core.salience import method, readers

        asked, members = method(request.method), readers(request.method)
        if members and getattr(model.capabilities, asked.needs):
            from core.salience.gradient_rows import GradientRows

            rows = GradientRows(request, members, self._workshop.settings.kept_pass_bytes)
            rows.compute(model, [0], context.stop)  # type: ignore[arg-type]
            rows.done(model)  # type: ignore[arg-type]
            found = {name: scores[0] for name, scores in rows.scores.items()}
        else:
            made = asked.run(model, request, tokens=tokens, stop=context.stop)
            found = {request.method: made.values[0]}
        for name, scores in found.items():
            self._spans.put(replace(request, method=name).key, scores, scores.nbytes)
        return found[request.method]

    def _keep(self, matrix: SalienceMatrix) -> None:
        self._matrices.put(matrix.request.key, matrix, _matrix_bytes(matrix))
        self._workshop.quietly(lambda: self._workshop.store.save_salience(matrix))


def _matrix_bytes(matrix: SalienceMatrix) -> int:
    return matrix.values.nbytes + (0 if matrix.gram is None else matrix.gram.nbytes)
