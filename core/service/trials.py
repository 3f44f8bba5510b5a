"""Trust for the model in hand: natural prompts with a planted cause, asked one after another, each kept as it comes.

What is known already is not asked again, so that Stop, a closed tab or a restart loses one prompt at most.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from core.jobs import Job, JobContext
from core.records import ModelSpec
from core.service.workshop import BULK, Workshop
from core.store.keys import model_key, question_key

if TYPE_CHECKING:
    from core.faithfulness.natural_trials import Line

TRIALS = "trials"
"""Kind of these jobs."""


class Trials:
    """By the model's content address and precision."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop

    def lines(self, spec: ModelSpec) -> list[Line]:
        """What was measured of this very model here. Loads nothing."""
        return self._workshop.store.trials.of(self._key(spec))

    def measure(self, spec: ModelSpec, *, owner: str, view: str = "", **wanted: Any) -> Job[tuple[Line, ...]]:
        """A job that asks on until every kind of prompt has what is wanted; `partial` is all lines by then.

        Others have turns between two prompts, clicks on a map of this model between two tokens; Stop works within one
        pass. `wanted`: `tasks` and `most`, as `still_to_ask` has them.
        """
        spec = self._workshop.resolve(spec)
        key = self._key(spec)

        def work(context: JobContext) -> Generator[None, None, tuple[Line, ...]]:
            from core.faithfulness.natural_trials import measure_natural, share_done, still_to_ask

            lines = self._workshop.store.trials.of(key)
            context.progress(share_done(lines, **wanted), "Asking prompts whose cause is known", tuple(lines))
            for task, row in still_to_ask(lines, **wanted):
                with self._workshop.model(spec, context) as model:
                    line = measure_natural(model, task, row, context.borders(key))
                context.check()
                self._workshop.store.trials.add(key, line)
                lines.append(line)
                context.progress(share_done(lines, **wanted), task.label, tuple(lines))
                yield
            return tuple(lines)

        return self._workshop.submit(
            work, spec, kind=TRIALS, key=question_key(TRIALS, spec), owner=owner, priority=BULK, view=view,
            label=f"Measuring how far to trust {spec.name}", size=1,
        )  # fmt: skip

    def _key(self, spec: ModelSpec) -> str:
        return model_key(self._workshop.resolve(spec))
