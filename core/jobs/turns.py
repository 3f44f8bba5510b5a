"""Whose turn it is in a lane: who waited the longest, what will take long behind what is short, one model at a time.

Guarded by the queue's lock; knows no thread.
"""

from __future__ import annotations

from collections.abc import Callable

from core.jobs.job import QueuedWork

PEOPLE_REMEMBERED = 1_000
"""Whose last turns are known; who had none for that long counts as new."""
MODEL_SECONDS = 10.0
"""How long work of one model goes on before equally urgent work of another may put it out of memory."""


class Turns:
    """The last turns of people, the models in use by lane, and what a turn of each kind of work takes."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seconds: dict[str, float] = {}
        """By kind: what a turn takes for each unit of its work's size, lately."""
        self._last: dict[str, float] = {}
        self._model_in_use: dict[str, tuple[str, float]] = {}

    def rank(self, work: QueuedWork, lane: str) -> tuple[bool, int, bool, float, int]:
        """Whose turn it is: the least."""
        model, since = self._model_in_use.get(lane, ("", 0.0))
        same = work.model in ("", model)
        stays = self._clock() - since < MODEL_SECONDS
        waits = min((self._last.get(person, work.since) for person in work.people), default=0.0)
        return (
            not work.stop.is_set(),
            -work.priority,
            same != stays,
            waits + self._next_seconds(work),
            work.id,
        )

    def count(self, work: QueuedWork, lane: str) -> None:
        """`work` has its turn now."""
        self._last.update((person, self._clock()) for person in work.people)
        if len(self._last) > PEOPLE_REMEMBERED:
            for person in sorted(self._last, key=self._last.__getitem__)[: PEOPLE_REMEMBERED // 2]:
                del self._last[person]
        if work.model and self._model_in_use.get(lane, ("", 0.0))[0] != work.model:
            self._model_in_use[lane] = work.model, self._clock()

    def took(self, work: QueuedWork, began: float) -> None:
        """A turn of `work` that began then has ended."""
        work.turn_seconds = self._clock() - began
        if work.size:
            each, usual = work.turn_seconds / work.size, self._seconds.get(work.kind)
            self._seconds[work.kind] = each if usual is None else 0.7 * usual + 0.3 * each

    def _next_seconds(self, work: QueuedWork) -> float:
        """How many seconds its next turn is guessed to take; 0 where nothing is known or told."""
        if work.size is None:
            return 0.0
        guess = work.turn_seconds
        return self._seconds.get(work.kind, 0.0) * work.size if guess is None else guess
