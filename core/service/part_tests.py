"""Scores of parts by taking many out, and *why this and not that*, as jobs: kept by content, stopped within a pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.cause import CauseRequest
from core.errors import AppError
from core.jobs import Job, JobContext
from core.part_scores import PartScores
from core.records import Option, Tokens, digest
from core.service.recent import Recent
from core.service.workshop import Workshop
from core.store.keys import model_key

if TYPE_CHECKING:
    from core.models.language_model import LanguageModel

PART_TEST = "part test"
"""Kind of these jobs: a person's newer one stops the older."""


@dataclass(frozen=True, slots=True, eq=False)
class OtherWords:
    """What might have stood in the answer from token `start` on: `text`, by its `ids` where they are known."""

    start: int
    text: str
    ids: tuple[int, ...] = ()

    def behind(self, tokens: Tokens, model: LanguageModel) -> Tokens:
        """The text with these words in it."""
        from core.salience.contrast import instead_of

        ids: Sequence[int] | NDArray[np.int64] = self.ids
        if not len(ids):
            typed = model.tokenize("x", self.text)
            ids = typed.ids[typed.prompt_len :]
        return instead_of(tokens, self.start, [int(i) for i in ids], self.text)


def leaves_at(tokens: Tokens, ids: Sequence[int]) -> int:
    """The first token of the answer in `tokens` that the answer of `ids` does not share.

    Raises: AppError where one answer only goes on from the other.
    """
    own = tokens.ids[tokens.prompt_len :]
    size = min(len(own), len(ids))
    unlike = np.flatnonzero(own[:size] != np.asarray(ids[:size]))
    if not len(unlike):
        raise AppError(
            "One of the two answers only goes on from the other, so there are no words to compare.",
            hint="Choose an answer that says something else.",
        )
    return tokens.prompt_len + int(unlike[0])


class PartTests:
    """Found by content, else measured."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._found: Recent[PartScores] = Recent(workshop.memory_bytes // 32)

    def score(
        self,
        request: CauseRequest,
        tokens: Tokens,
        way: str,
        options: Mapping[str, Option],
        *,
        lines: Sequence[str] = (),
        owner: str,
        view: str = "",
    ) -> Job[PartScores]:
        """A job for the scores of the request's parts by `way` (`core.part_scores.WAYS`)."""

        def measure(model: LanguageModel, watch: Mapping[str, Any]) -> PartScores:
            from core.salience.part_ways import score_parts

            return score_parts(model, request, tokens, way, options, lines=lines, **watch)

        key = digest(way, request.key, sorted(options.items()), list(lines))
        return self._job(key, request, measure, "Taking parts out", owner, view)

    def contrast(
        self,
        request: CauseRequest,
        tokens: Tokens,
        other: OtherWords,
        how: str = "cut",
        *,
        lines: Sequence[str] = (),
        owner: str,
        view: str = "",
    ) -> Job[PartScores]:
        """A job for why the request's words and not `other`."""

        def measure(model: LanguageModel, watch: Mapping[str, Any]) -> PartScores:
            from core.salience.part_ways import contrast_parts

            return contrast_parts(
                model, request, tokens, other.behind(tokens, model), how, lines=lines, **watch
            )

        key = digest("contrast", request.key, other.start, other.text, list(other.ids), how, list(lines))
        return self._job(key, request, measure, "Why this and not that", owner, view)

    def _job(
        self,
        key: str,
        request: CauseRequest,
        measure: Callable[[LanguageModel, Mapping[str, Any]], PartScores],
        label: str,
        owner: str,
        view: str,
    ) -> Job[PartScores]:
        def work(context: JobContext) -> PartScores:
            found = self._found.get(key)
            if found is None:
                with self._workshop.model(request.model, context) as model:
                    watch = {
                        "on_share": lambda share: context.progress(share, label),
                        "between": lambda: context.give_way(model_key(request.model)),
                        "stop": context.stop,
                    }
                    found = measure(model, watch)
                self._found.put(key, found, 200 * (len(request.parts) + 1) + 8 * len(request.ids))
            return found

        return self._workshop.submit(
            work, request.model, kind=PART_TEST, key=key, owner=owner, view=view, label=label
        )  # fmt: skip
