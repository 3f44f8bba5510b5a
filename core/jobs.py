"""Work in the background: one worker thread a lane (a device); progress, queue position, Stop and a result.

A *job* is what one owner (a browser session, a web request) waits for; the *work* behind it is shared by
all owners who asked for the same key while it was in flight, and ends early only when the last of them has
left. Work of a lane never overlaps, so a model is never used by two threads. This module knows no model, no
page and no store; it starts threads only when something is submitted.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from core.errors import AppError, Stopped

T = TypeVar("T")
State = Literal["queued", "running", "done", "failed", "stopped"]

FINISHED: tuple[State, ...] = ("done", "failed", "stopped")
logger = logging.getLogger(__name__)


@dataclass(eq=False)
class _Work:
    """What a worker runs once, for all who asked for it. Guarded by the queue's lock."""

    id: int
    fn: Callable[[JobContext], Any]
    kind: str
    key: str
    lane: str
    priority: int
    beside: str
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

    def order(self) -> tuple[int, int]:
        return -self.priority, self.id


class JobContext:
    """What running work sees of its job: report progress, and learn that nobody waits any more."""

    def __init__(self, queue: JobQueue, work: _Work) -> None:
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

    def check(self) -> None:
        """Raise `Stopped` when nobody waits for this work any more."""
        if self.stop.is_set():
            raise Stopped

    def give_way(self, beside: str | None = None) -> None:
        """Let more urgent work of the lane run now, on this thread, then come back.

        For long work that goes example by example: call it between two of them, where no model is held. Where
        one is held, only work submitted with the same `beside` may pass, because it uses that very model.
        Raises: Stopped, as `check`.
        """
        self.check()
        mine = self._work
        while (urgent := self._queue._next(mine.lane, above=mine.priority, beside=beside)) is not None:
            self._queue._run(urgent)
        self.check()


class Job(Generic[T]):
    """One owner's view of a piece of work; safe to read from any thread."""

    def __init__(self, queue: JobQueue, work: _Work, owner: str) -> None:
        self._queue, self._work, self._left = queue, work, False
        self._listeners: list[Callable[[Job[T]], None]] = []
        self.id, self.kind, self.key, self.owner = work.id, work.kind, work.key, owner

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
        return (work.ended or time.monotonic()) - work.started if work.started else 0.0

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

    def stop(self) -> None:
        """This owner leaves; the work itself ends when no owner is left. Harmless when it has ended."""
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


class JobQueue:
    """The work of one process: a worker thread for each lane, first come first served within a priority.

    `max_queued` bounds what waits in all lanes together (0: no bound).
    """

    def __init__(self, max_queued: int = 0) -> None:
        self.max_queued = max_queued
        self._changed = threading.Condition(threading.RLock())
        self._waiting: dict[str, list[_Work]] = defaultdict(list)
        self._running: dict[str, list[_Work]] = defaultdict(list)
        self._by_key: dict[str, _Work] = {}
        self._by_owner: dict[tuple[str, str], Job[Any]] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._usual_seconds: dict[str, float] = {}
        self._ids = itertools.count(1)
        self._closed = False

    @property
    def depth(self) -> int:
        """How many pieces of work run or wait, in all lanes."""
        with self._changed:
            return sum(map(len, self._waiting.values())) + sum(map(len, self._running.values()))

    def submit(
        self,
        fn: Callable[[JobContext], T],
        *,
        kind: str,
        key: str,
        owner: str,
        replaces: bool = True,
        lane: str = "cpu",
        priority: int = 0,
        beside: str = "",
    ) -> Job[T]:
        """Queue `fn(context)`, or join the work in flight that has the same `key`.

        With `replaces`, the owner's earlier job of this `kind` is stopped first. Higher `priority` goes
        first; `beside` names what it may run beside (`JobContext.give_way`). Returns the owner's job.
        Raises: AppError with code `closed` after `close`, `busy` when the queue is full.
        """
        with self._changed:
            if self._closed:
                raise AppError("Whence is shutting down and takes no new work.", code="closed")
            before = self._by_owner.get((owner, kind))
            work = self._by_key.get(key)
            if work is not None:
                mine = next((job for job in work.jobs if job.owner == owner), None)
                if mine is not None:
                    return mine
            if replaces and before is not None:
                before.stop()
                work = self._by_key.get(key)
            if work is None:
                work = self._enqueue(_Work(next(self._ids), fn, kind, key, lane, priority, beside))
            job: Job[T] = Job(self, work, owner)
            work.jobs.append(job)
            if replaces:
                self._by_owner[owner, kind] = job
            return job

    def close(self, drain_seconds: float = 0.0) -> None:
        """Take no more work, let what is in flight run `drain_seconds`, stop the rest, end the threads."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.depth == 0, drain_seconds)
            jobs = [job for work in self._by_key.values() for job in work.jobs]
            threads = list(self._threads.values())
        for job in jobs:
            job.stop()
        with self._changed:
            self._changed.notify_all()
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join()

    # -- within the module ---------------------------------------------------------------------------------

    def _enqueue(self, work: _Work) -> _Work:
        waiting = sum(map(len, self._waiting.values()))
        if self.max_queued and waiting >= self.max_queued:
            raise AppError(
                f"{waiting} requests are waiting already, and at most {self.max_queued} may.",
                hint="Try again in a moment.",
                code="busy",
            )
        lane = work.lane
        self._by_key[work.key] = work
        self._waiting[lane].append(work)
        self._waiting[lane].sort(key=_Work.order)
        if lane not in self._threads:
            thread = threading.Thread(target=self._loop, args=(lane,), name=f"whence-{lane}", daemon=True)
            self._threads[lane] = thread
            thread.start()
        self._changed.notify_all()
        return work

    def _next(self, lane: str, above: int | None = None, beside: str | None = None) -> _Work | None:
        """Take the next work of a lane off the queue, now running; with conditions, see `give_way`."""
        with self._changed:
            waiting = self._waiting[lane]
            fits = (
                place
                for place, work in enumerate(waiting)
                if (above is None or work.priority > above) and (beside is None or work.beside == beside)
            )
            place = next(fits, None)
            if place is None:
                return None
            work = waiting.pop(place)
            work.state, work.started = "running", time.monotonic()
            self._running[lane].append(work)
            return work

    def _loop(self, lane: str) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._waiting[lane])
                work = self._next(lane)
                if work is None:
                    return
            self._run(work)
            del work  # an idle worker must not keep the last result alive

    def _run(self, work: _Work) -> None:
        self._announce(work)
        result: Any = None
        error: AppError | None = None
        state: State = "done"
        try:
            result = work.fn(JobContext(self, work))
            if work.stop.is_set():
                error, state = Stopped(), "stopped"
        except Stopped as stopped:
            error, state = stopped, "stopped"
        except AppError as fault:
            error, state = fault, "failed"
        except (
            BaseException
        ) as bug:  # a worker outlives whatever its work raises, and the waiting get an answer
            logger.exception("A job of the kind %s failed", work.kind)
            error, state = plain(bug, work.kind), "failed"
        with self._changed:
            work.result, work.error, work.state = result, error, state
            work.ended = time.monotonic()
            work.fn = _nothing
            self._running[work.lane].remove(work)
            self._forget(work)
            if state == "done":
                took, usual = work.ended - work.started, self._usual_seconds.get(work.kind)
                self._usual_seconds[work.kind] = took if usual is None else 0.7 * usual + 0.3 * took
        self._announce(work)

    def _forget(self, work: _Work) -> None:
        """Join and replacement look only at work in flight: drop this from both indexes."""
        if self._by_key.get(work.key) is work:
            del self._by_key[work.key]
        for job in work.jobs:
            if self._by_owner.get((job.owner, job.kind)) is job:
                del self._by_owner[job.owner, job.kind]

    def _leave(self, job: Job[Any]) -> None:
        work = job._work
        with self._changed:
            if job.finished:
                return
            if any(other is not job for other in work.jobs):
                job._left = True
                work.jobs.remove(job)
                if self._by_owner.get((job.owner, job.kind)) is job:
                    del self._by_owner[job.owner, job.kind]
            else:
                work.stop.set()
                self._forget(work)
                if work.state == "queued":
                    self._waiting[work.lane].remove(work)
                    work.state, work.error, work.fn = "stopped", Stopped(), _nothing
        self._announce(work, extra=(job,))

    def _announce(self, work: _Work, extra: tuple[Job[Any], ...] = ()) -> None:
        """Wake those who wait and call the listeners, outside the lock; `extra` has just left."""
        with self._changed:
            work.version += 1
            self._changed.notify_all()
            calls = [(job, listener) for job in {*work.jobs, *extra} for listener in job._listeners]
        for job, listener in calls:
            try:
                listener(job)
            except Exception:
                logger.exception("A listener of a job of the kind %s failed", work.kind)

    def _ahead(self, work: _Work) -> list[_Work]:
        with self._changed:
            if work.state != "queued":
                return []
            earlier = [other for other in self._waiting[work.lane] if other.order() < work.order()]
            return [*self._running[work.lane], *earlier]

    def _left_seconds(self, work: _Work) -> float | None:
        usual = self._usual_seconds.get(work.kind)
        if work.state == "queued":
            return usual
        spent = time.monotonic() - work.started
        if work.progress:
            return spent * (1 - work.progress) / work.progress
        return None if usual is None else max(0.0, usual - spent)


def plain(bug: BaseException, kind: str) -> AppError:
    """The sentence that a person sees for a fault nobody foresaw; the log has it whole."""
    if isinstance(bug, MemoryError):
        return AppError(
            "The computer's memory ran out during this.",
            hint="Try a shorter prompt or a shorter answer, or a smaller or quantised model.",
            code="memory",
        )
    return AppError(
        f"Something went wrong inside Whence ({kind}); it is not your text's fault, and nothing was lost.",
        hint="Try again; if it comes back, the log holds the details for whoever runs this.",
        code="internal",
    )


def _nothing(context: JobContext) -> None:
    """Stands in for finished work's function, so that what that held can be freed."""
