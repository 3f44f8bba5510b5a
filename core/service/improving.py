"""From the reason to the better prompt, as jobs: what one answer needs, and what helps over the rows of a dataset.

Answers are found by content, else written and kept, so that what was stopped and is asked again goes on. The maths is
`core.improve`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.cause import CauseRequest
from core.checks import Condition, to_json
from core.improve.edit_places import EditPlaces
from core.improve.minimal_sets import MinimalSets
from core.improve.needless import Needless, Shortest, needless, shortest
from core.improve.place_effects import EditEffects, edit_effects
from core.improve.prompt_parts import PromptParts
from core.improve.rows import RowsAsked, RowToAsk
from core.jobs import Job, JobContext
from core.prompt_table.prompts import asked_as, row_values
from core.records import Example, GenerationParams, ModelSpec, SendAs, Tokens, digest
from core.service.workshop import BULK, NORMAL, Prompt, Workshop
from core.store.keys import model_key

if TYPE_CHECKING:
    from core.improve.mend import Mended
    from core.models.language_model import LanguageModel
    from core.service.answers import Answers

T = TypeVar("T")


@dataclass(frozen=True)
class RowsQuestion:
    """Rows of a dataset, who answers, and what is right."""

    rows: tuple[Example, ...]
    spec: ModelSpec
    send_as: SendAs = "plain"
    params: GenerationParams = field(default_factory=GenerationParams)
    conditions: tuple[Condition, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    columns: tuple[str, ...] = ()
    """The columns that a template may name."""

    @property
    def key(self) -> str:
        return digest(
            model_key(self.spec), self.send_as, repr(self.params), to_json(self.conditions),
            [row.id for row in self.rows], [row.prompt for row in self.rows], self.columns, self.aliases,
        )  # fmt: skip


class Improving:
    """Each method submits a job; `partial` is what is known by then."""

    def __init__(self, workshop: Workshop, answers: Answers) -> None:
        self._workshop, self._answers = workshop, answers

    def needs(
        self,
        request: CauseRequest,
        tokens: Tokens,
        order: Sequence[int] | None = None,
        *,
        owner: str,
        view: str = "",
    ) -> Job[MinimalSets]:
        """The smallest parts (indices of `request.parts`) that keep the chosen words, and those that turn them.

        `order`: the free parts, the strongest first.
        """
        from core.improve.needed_parts import needed_parts

        def work(model: LanguageModel, context: JobContext) -> MinimalSets:
            return needed_parts(
                model,
                request,
                tokens,
                order,
                on_asked=lambda n: context.progress(
                    None, f"Reading the prompt with parts taken out, {n:,} so far"
                ),
                stop=context.stop,
                between=lambda: context.give_way(model_key(request.model)),
            )

        return self._workshop.with_model(
            work, request.model, kind="needs", asks=(request.key, list(order or ())), owner=owner, view=view,
            priority=NORMAL, label="What the answer needs",
        )  # fmt: skip

    def edit(
        self, question: RowsQuestion, places: EditPlaces, *, owner: str, seed: int = 0
    ) -> Job[EditEffects]:
        """What each place of an edit brought on the rows: 1 for right, 0 for wrong."""

        def work(on_rows: _OnRows) -> EditEffects:
            def value(on: NDArray[np.bool_]) -> NDArray[np.float64]:
                found = []
                for at, one in enumerate(on):
                    on_rows.tell(at / len(on), f"Mixture {at + 1:,} of {len(on):,}")
                    found.append(on_rows.ask([places.mixed(one.tolist())]).outcomes[0])
                return np.array(found)

            return edit_effects(len(places.places), value, seed=seed)

        said = digest(
            "edit", places.mixed([False] * len(places.places)), places.mixed([True] * len(places.places))
        )
        return self._submit(work, question, "edit effects", said, "What mattered in the edit", owner)

    def needless(
        self, question: RowsQuestion, parts: PromptParts, *, owner: str
    ) -> Job[tuple[Needless, Shortest]]:
        """What may go, and the shortest prompt that keeps the verdicts."""

        def work(on_rows: _OnRows) -> tuple[Needless, Shortest]:
            found = needless(parts, on_rows.ask, lambda share, said: on_rows.tell(0.7 * share, said))
            short = shortest(
                parts, on_rows.ask, on_rows.count, known=found,
                on_share=lambda share, said: on_rows.tell(0.7 + 0.3 * share, said),
            )  # fmt: skip
            return found, short

        return self._submit(work, question, "needless", digest(parts.text, parts.spans), "What may go", owner)

    def mend(
        self, question: RowsQuestion, parts: PromptParts, *, owner: str, writer: ModelSpec | None = None
    ) -> Job[Mended]:
        """What carried the wrong answers, and its repairs, run. `writer`: the model that rewrites parts, if any."""
        from core.improve.mend import mend

        def work(on_rows: _OnRows) -> Mended:
            return mend(
                on_rows.hold, parts, on_rows.ask, on_rows.answered, on_rows.count,
                rewrite=None if writer is None else lambda line, n: on_rows.rewritten(writer, line, n),
                on_share=on_rows.tell, stop=on_rows.context.stop,
                between=lambda: on_rows.context.give_way(model_key(on_rows.spec)),
            )  # fmt: skip

        said = digest(parts.text, parts.spans, "" if writer is None else model_key(writer))
        return self._submit(work, question, "mend", said, "What carried the wrong answers", owner)

    def _submit(
        self, fn: Callable[[_OnRows], T], question: RowsQuestion, kind: str, said: str, label: str, owner: str
    ) -> Job[T]:
        spec = self._workshop.resolve(question.spec)

        def work(context: JobContext) -> T:
            return fn(_OnRows(self._workshop, self._answers, question, spec, context))

        return self._workshop.submit(
            work, spec, kind=kind, key=digest(kind, question.key, said), owner=owner, priority=BULK, until="done",
            label=f"{label}: {len(question.rows):,} rows",
        )  # fmt: skip


class _OnRows:
    """What the engines ask, within a job: no model is held between two batches."""

    def __init__(
        self,
        workshop: Workshop,
        answers: Answers,
        question: RowsQuestion,
        spec: ModelSpec,
        context: JobContext,
    ) -> None:
        self._workshop, self._answers, self._question = workshop, answers, question
        self.spec, self.context = spec, context
        aliases = dict(question.aliases)
        rows = [
            RowToAsk(row.id, row_values(row, aliases, question.columns), row.targets, row.called)
            for row in question.rows
        ]
        self.ask = RowsAsked(rows, self._answer, question.conditions)
        self._share = 0.0

    def tell(self, share: float, said: str) -> None:
        self.context.progress(share, said)

    def hold(self) -> AbstractContextManager[LanguageModel]:
        return self._workshop.model(self.spec, self.context)

    def answered(self, row: int, prompt: str) -> Tokens:
        (made,) = self._answers.write(
            [self._sent(row, prompt)], self.spec, self._question.params, self.context
        )
        return made.tokens

    def count(self, text: str) -> int:
        with self.hold() as model:
            return len(model.tokenize(text))

    def rewritten(self, writer: ModelSpec, line: str, number: int) -> str:
        from core.improve.repairs import INSTRUCTION

        params = GenerationParams(max_new_tokens=120, temperature=0.8, seed=number, stop=("\n\n",))
        (made,) = self._answers.write([INSTRUCTION.format(line=line)], writer, params, self.context)
        return made.text

    def _sent(self, row: int, prompt: str) -> Prompt:
        return asked_as(self._question.rows[row], prompt).sent(self._question.send_as)

    def _answer(self, asked: Sequence[tuple[int, str]]) -> list[str]:
        prompts = [self._sent(row, prompt) for row, prompt in asked]
        return [
            made.text for made in self._answers.write(prompts, self.spec, self._question.params, self.context)
        ]
