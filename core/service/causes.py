"""Find the cause, as a job: what is known at once, measured step by step, stopped within one pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.cause import Cause, CauseRequest, CauseSettings, proposed_locks
from core.jobs import Job, JobContext
from core.records import ModelSpec, Role, Segment, Tokens
from core.service.recent import Recent
from core.service.workshop import NORMAL, Workshop
from core.store.keys import model_key

if TYPE_CHECKING:
    from core.models.language_model import LanguageModel

Span = tuple[int, int]
CAUSE = "cause"
"""Kind of these jobs: a person's newer question stops the older one, and no map."""


class Causes:
    """Found by content, else measured, and kept."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._causes: Recent[Cause] = Recent(workshop.memory_bytes // 16)

    def request(
        self,
        tokens: Tokens,
        spec: ModelSpec,
        targets: Sequence[Span],
        parts: Sequence[Segment],
        *,
        locked: Sequence[int] | None = None,
        settings: CauseSettings | None = None,
    ) -> CauseRequest:
        """The question "which of `parts` caused the words at `targets` (token spans of the answer)?".

        `parts` are the prompt's segments as they are shown; those of a chat template are left out here, so
        all indices count the others (`asked_parts`). `locked` None: the question or cue at the end.
        """
        own = asked_parts(parts)
        return CauseRequest(
            self._workshop.resolve(spec),
            tuple(int(i) for i in tokens.ids),
            tokens.prompt_len,
            _joined(targets),
            tuple(part.tokens for part in own),
            tuple(proposed_locks(own) if locked is None else sorted(set(locked))),
            settings or CauseSettings(),
        )

    def known(self, request: CauseRequest) -> Cause | None:
        """What was found if it is known. Loads no model."""
        found = self._causes.get(request.key)
        if found is None and (found := self._workshop.store.causes.get(request.key)) is not None:
            self._remember(found)
        return found

    def find(
        self,
        request: CauseRequest,
        tokens: Tokens,
        *,
        owner: str,
        map_scores: NDArray[np.float32] | None = None,
        priority: int = NORMAL,
        view: str = "",
    ) -> Job[Cause]:
        """A job for what caused the chosen words.

        `partial` is a `Cause` with the verdict "measuring" and all that is measured by then. `map_scores`
        (S,) ranks the parts where the page has the map already. Clicks pass between two measurements.
        """

        def work(context: JobContext) -> Cause:
            found = self.known(request)
            if found is None:
                with self._workshop.model(request.model, context) as model:
                    found = self._find(model, request, tokens, map_scores, context)
                self._remember(found)
                kept = found
                self._workshop.quietly(lambda: self._workshop.store.causes.put(kept))
            return found

        return self._workshop.submit(
            work, request.model, kind=CAUSE, key=request.key, owner=owner, priority=priority,
            view=view, label="Finding the cause",
        )  # fmt: skip

    def _remember(self, cause: Cause) -> None:
        size = 200 * (len(cause.removals) + 1) + 64 * len(cause.request.parts) + 40 * len(cause.request.ids)
        self._causes.put(cause.request.key, cause, size)

    def _find(
        self,
        model: LanguageModel,
        request: CauseRequest,
        tokens: Tokens,
        map_scores: NDArray[np.float32] | None,
        context: JobContext,
    ) -> Cause:
        from core.salience.find_cause import find_cause

        context.progress(0.0, "Finding the cause")
        return find_cause(
            model,
            request,
            tokens,
            map_scores=map_scores,
            on_measured=lambda share, cause: context.progress(share, "Taking parts out", partial=cause),
            between=lambda: context.give_way(model_key(request.model)),
            stop=context.stop,
        )


def asked_parts(parts: Sequence[Segment]) -> tuple[Segment, ...]:
    """The parts that are the person's own: those of a chat template and special tokens left out."""
    return tuple(part for part in parts if part.role is Role.PROMPT)


def _joined(targets: Sequence[Span]) -> tuple[Span, ...]:
    """`targets` in order, those that touch made one."""
    out: list[Span] = []
    for start, stop in sorted(targets):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(stop, out[-1][1]))
        else:
            out.append((start, stop))
    return tuple(out)
