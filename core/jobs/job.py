"""A piece of work, what it sees of its job while it runs, and one owner's view of it.

Everything here is guarded by the queue's lock or only read; `queue.py` decides what happens when.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from core.errors import AppError, Stopped

if TYPE_CHECKING:
    from core.jobs.queue import JobQueue

T = TypeVar("T")
State = Literal["queued", "running", "done", "failed", "stopped"]
Until = Literal["view", "visit", "done"]
"""How long a job is wanted: while its view is looked at, while its person is there, or to its end."""

FINISHED: tuple[State, ...] = ("done", "failed", "stopped")


@dataclass(eq=False)
class QueuedWork:
    """What a worker runs once, for all who asked for it. Guarded by the queue's lock."""

    id: int
    fn: Callable[[JobContext], Any]
    kind: str
    key: str
    lane: str
    priority: int
    model: str = ""
    state: State = "queued"
    progress: float | None = None
    message: str = ""
    partial: Any = None
    result: Any = None
    error: AppError | None = None
    version: int = 0
    started: float = 0.0
    ended: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event)
    jobs: list[Job[Any]] = field(default_factory=list)
    steps: Generator[Any, None, Any] | None = None
    """What is left of work that goes step by step, once it has begun."""
    size: float | None = None
    """How much one turn of it is to do, in a unit of its kind; None: it waits as if it took no time."""
    since: float = 0.0
    """When it began to wait for its next turn."""
    turn_seconds: float | None = None
    """What its last turn took; None before the first."""

    @property
    def people(self) -> frozenset[str]:
        return frozenset(job.person for job in self.jobs)

    def order(self) -> tuple[int, int]:
        return -self.priority, self.id


class JobContext:
    """What running work sees of its job: report progress, and learn that nobody waits any more."""

    def __init__(self, queue: JobQueue, work: QueuedWork) -> None:
        self._queue, self._work = queue, work

    @property
    def stop(self) -> threading.Event:
        return self._work.stop

    def progress(self, fraction: float | None, message: str = "", partial: Any = None) -> None:
        """Show how far it is, `fraction` 0 to 1 or None (unknown); no message or partial keeps the last."""
        work = self._work
        with self._queue._changed:
            work.progress = None if fraction is None else min(1.0, max(0.0, float(fraction)))
            work.message = message or work.message
            work.partial = work.partial if partial is None else partial
        self._queue._announce(work)

    def lower(self, priority: int) -> None:
        """From the next step on this is less urgent: what was waited for is there, the rest may take its time."""
        with self._queue._changed:
            self._work.priority = min(self._work.priority, priority)

    def check(self) -> None:
        """Raise `Stopped` when nobody waits for this work any more."""
        if self.stop.is_set():
            raise Stopped

    def give_way(self, model: str | None = None) -> None:
        """Let more urgent work of the lane run now, on this thread, then come back.

        For long work in one piece: call it where no model is held. Where one is held, name it: then only work
        of that very model may pass. Work that goes step by step (a generator) need not call it: it yields, and
        people of the same priority take turns as well. Raises: Stopped, as `check`.
        """
        self.check()
        mine = self._work
        while (urgent := self._queue._next(mine.lane, above=mine.priority, model=model)) is not None:
            self._queue._run(urgent)
        self.check()

    def borders(self, model: str) -> threading.Event:
        """The stop event, for code that asks it at every border (between two tokens): each time it is asked, more
        urgent work of the `model` that is held may pass."""
        return _Borders(self, model)


class _Borders(threading.Event):
    def __init__(self, context: JobContext, model: str) -> None:
        super().__init__()
        self._context, self._model = context, model

    def is_set(self) -> bool:
        stop = self._context.stop
        if not stop.is_set():
            with suppress(Stopped):
                self._context.give_way(self._model)
        return stop.is_set()

    def set(self) -> None:
        self._context.stop.set()

    def wait(self, timeout: float | None = None) -> bool:
        return self._context.stop.wait(timeout)


class Job(Generic[T]):
    """One owner's view of a piece of work; safe to read from any thread."""

    def __init__(
        self,
        queue: JobQueue,
        work: QueuedWork,
        owner: str,
        view: str = "",
        until: Until = "visit",
        label: str = "",
    ) -> None:
        self._queue, self._work, self._left = queue, work, False
        self.view, self.until, self.label = view, until, label or work.kind
        self.unseen = False
        self._listeners: list[Callable[[Job[T]], None]] = []
        self.id, self.kind, self.key, self.owner = work.id, work.kind, work.key, owner

    @property
    def person(self) -> str:
        """Whose it is: the first word of its owner's name."""
        return person_of(self.owner)

    @property
    def state(self) -> State:
        """`stopped` at once when others still wait for the work; else when the work has really ended."""
        return "stopped" if self._left else self._work.state

    @property
    def finished(self) -> bool:
        return self.state in FINISHED

    @property
    def stopping(self) -> bool:
        """Stop was asked for, and the work has not come to its next check yet."""
        return self._work.stop.is_set() and not self.finished

    @property
    def progress(self) -> float | None:
        return self._work.progress

    @property
    def message(self) -> str:
        return self._work.message

    @property
    def partial(self) -> Any:
        """The newest part of the result, or None."""
        return self._work.partial

    @property
    def version(self) -> int:
        """Grows with every change, so that a page redraws only when there is news."""
        return self._work.version

    @property
    def result(self) -> T | None:
        """What the work returned; after Stop, what it had by then (None where that is nothing)."""
        return None if self._left else self._work.result

    @property
    def error(self) -> AppError | None:
        """None unless it failed or was stopped."""
        return Stopped() if self._left else self._work.error

    @property
    def seconds(self) -> float:
        """Time that the work has run for so far, in seconds; 0 while it waits."""
        work = self._work
        return (work.ended or self._queue._clock()) - work.started if work.started else 0.0

    @property
    def position(self) -> int:
        """How many jobs of the lane finish before this one: 0 when it runs or has ended."""
        return len(self._queue._ahead(self._work))

    @property
    def eta_seconds(self) -> float | None:
        """Seconds until the result, from its own progress and what such jobs took before; None: unknown."""
        if self.finished:
            return 0.0
        left = [self._queue._left_seconds(work) for work in (*self._queue._ahead(self._work), self._work)]
        known = [seconds for seconds in left if seconds is not None]
        return sum(known) if len(known) == len(left) else None

    def stop(self, *, unseen: bool = False) -> None:
        """This owner leaves; the work itself ends when no owner is left. Harmless when it has ended.

        `unseen` is kept with the job: it ended because nobody looked, so whoever looks again may ask again.
        """
        self.unseen = self.unseen or (unseen and not self.finished)
        self._queue._leave(self)

    def wait(self, timeout: float | None = None) -> bool:
        """Block until it has ended for this owner, at most `timeout` seconds; True when it has ended."""
        with self._queue._changed:
            return self._queue._changed.wait_for(lambda: self.finished, timeout)

    def get(self, timeout: float | None = None) -> T:
        """The result, waited for.

        Raises: the job's `AppError` (also `Stopped`); AppError with code `timeout` when it takes longer.
        """
        if not self.wait(timeout):
            raise AppError(f"This takes longer than the {timeout:,.0f} seconds allowed.", code="timeout")
        if self.error is not None:
            raise self.error
        return self._work.result

    def on_change(self, listener: Callable[[Job[T]], None]) -> None:
        """Call `listener(job)` after every change, on the thread that made it (at once when it has ended)."""
        with self._queue._changed:
            self._listeners.append(listener)
        if self.finished:
            listener(self)


def person_of(owner: str) -> str:
    """The person (a browser session, a web request) that an owner's name begins with."""
    return owner.partition(" ")[0]


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of the list of all that is under way, as it was when the list was made."""

    label: str
    view: str
    kind: str
    state: State
    stopping: bool
    until: Until
    seconds: float
    """Since it began; 0 while it waits."""
    position: int
    progress: float | None
    message: str
    eta_seconds: float | None
    people: int
    mine: Job[Any] | None
    """The job to stop, where the person who looks is one of those who wait for it."""
