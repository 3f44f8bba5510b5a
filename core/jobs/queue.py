"""The queue: one worker thread a lane, shared work, priorities, and an end that answers everybody."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from core.errors import AppError, Stopped
from core.jobs.faults import plain
from core.jobs.job import Job, JobContext, Listed, QueuedWork, State, Until, person_of
from core.jobs.turns import Turns

T = TypeVar("T")
logger = logging.getLogger(__name__)
WITHIN = " · "
"""Between the parts of a view's path."""
RATE_TURNS = 32
"""Pieces of work over which the rate of a lane is counted."""


class JobQueue:
    """The work of one process: a worker thread for each lane; within a priority, people take turns.

    A turn is a whole piece of work, or one step of work that is a generator. Who waits the longest since their
    last turn (or since they came) is next, and what will take long waits that much longer: short work passes long
    work, and nothing waits for ever. Work of the model that is in use goes on for `turns.MODEL_SECONDS`.
    `max_queued` bounds what waits in all lanes together (0: no bound); `clock` counts seconds.
    """

    def __init__(self, max_queued: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self.max_queued = max_queued
        self._clock = clock
        self._changed = threading.Condition(threading.RLock())
        self._waiting: dict[str, list[QueuedWork]] = defaultdict(list)
        self._running: dict[str, list[QueuedWork]] = defaultdict(list)
        self._by_key: dict[str, QueuedWork] = {}
        self._by_owner: dict[tuple[str, str], Job[Any]] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._usual_seconds: dict[str, float] = {}
        self._ends: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=RATE_TURNS))
        """By lane: when the last pieces of work were done."""
        self._turns = Turns(clock)
        self._ids = itertools.count(1)
        self._closed = False

    @property
    def depth(self) -> int:
        """How many pieces of work run or wait, in all lanes."""
        with self._changed:
            return sum(map(len, self._waiting.values())) + sum(map(len, self._running.values()))

    def submit(
        self,
        fn: Callable[[JobContext], T | Generator[Any, None, T]],
        *,
        kind: str,
        key: str,
        owner: str,
        replaces: bool = True,
        lane: str = "cpu",
        priority: int = 0,
        model: str = "",
        view: str = "",
        until: Until = "visit",
        label: str = "",
        size: float | None = None,
    ) -> Job[T]:
        """Queue `fn(context)`, or join the work in flight that has the same `key`.

        Where `fn` is a generator function, each `yield` is the end of a step: others may have a turn before
        the next one, so no model and no lock may be held there. With `replaces`, the owner's earlier job of
        this `kind` is stopped first. Higher `priority` goes first; `model` names the one that
        it uses, where it uses one (`JobContext.give_way`). The owner's first word is the person; `view` is
        what the person looks at while the job is wanted `until` then; `label` says what it is, in the list
        of jobs; `size` how much a turn of it is to do, against others of its kind (None: not told, and it is not
        put behind shorter work). Returns the owner's job.
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
                work = self._enqueue(
                    QueuedWork(next(self._ids), fn, kind, key, lane, priority, model, size=size)
                )
            work.priority = max(work.priority, priority) if work.state == "queued" else work.priority
            job: Job[T] = Job(self, work, owner, view, until, label)
            work.jobs.append(job)
            if replaces:
                self._by_owner[owner, kind] = job
            return job

    def listed(self, owner: str = "") -> tuple[Listed, ...]:
        """All that is under way or waits, in all lanes: what runs first, then in the order of its turns."""
        person = person_of(owner)
        with self._changed:
            every = [work for lane in (*self._running.values(), *self._waiting.values()) for work in lane]
            every.sort(key=lambda work: (work.state == "queued", *work.order()))
            return tuple(self._line(work, person) for work in every if work.jobs)

    def look(self, owner: str, view: str) -> None:
        """The person looks at `view` now: what was wanted for another view only ends.

        Views are paths (`page · answer`): what is wanted for a part of `view` goes on.
        """
        part = f"{view}{WITHIN}"
        self._end(owner, lambda job: job.until == "view" and not f"{job.view}{WITHIN}".startswith(part))

    def leave(self, owner: str, *, view_only: bool = False) -> None:
        """The person is gone: all ends but what is wanted to its end; with `view_only`, only views' jobs."""
        self._end(owner, lambda job: job.until == "view" or (job.until == "visit" and not view_only))

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

    def _enqueue(self, work: QueuedWork) -> QueuedWork:
        waiting = sum(work.state == "queued" for lane in self._waiting.values() for work in lane)
        if self.max_queued and waiting >= self.max_queued:
            raise AppError(
                f"{waiting} requests are waiting already, and at most {self.max_queued} may.",
                hint="Try again in a moment.",
                code="busy",
            )
        lane, work.since = work.lane, self._clock()
        self._by_key[work.key] = work
        self._waiting[lane].append(work)
        self._waiting[lane].sort(key=QueuedWork.order)
        if lane not in self._threads:
            thread = threading.Thread(target=self._loop, args=(lane,), name=f"whence-{lane}", daemon=True)
            self._threads[lane] = thread
            thread.start()
        self._changed.notify_all()
        return work

    def _next(self, lane: str, above: int | None = None, model: str | None = None) -> QueuedWork | None:
        """Take the next work of a lane off the queue, now running; with conditions, see `give_way`."""
        with self._changed:
            fits = [
                work
                for work in self._waiting[lane]
                if work.stop.is_set()  # it only ends, which needs nothing
                or ((above is None or work.priority > above) and (model is None or work.model == model))
            ]
            if not fits:
                return None
            work = min(fits, key=lambda work: self._turns.rank(work, lane))
            self._waiting[lane].remove(work)
            self._running[lane].append(work)
            if work.state == "queued":
                work.state, work.started = "running", self._clock()
            self._turns.count(work, lane)
            return work

    def wait_seconds(self) -> float | None:
        """How long what waits now will take by the rate of the last pieces of work done; None before there is one.

        For whoever is told to come back later. Lanes work side by side, so the longest counts.
        """
        with self._changed:
            waits = []
            for lane, ends in self._ends.items():
                ahead = len(self._waiting[lane]) + len(self._running[lane])
                if ahead and len(ends) > 1 and self._clock() > ends[0]:
                    waits.append(ahead * (self._clock() - ends[0]) / len(ends))
            return max(waits, default=None)

    def _loop(self, lane: str) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._waiting[lane])
                work = self._next(lane)
                if work is None:
                    return
            self._run(work)
            del work  # an idle worker must not keep the last result alive

    def _run(self, work: QueuedWork) -> None:
        """One turn: all of the work, or its next step."""
        self._announce(work)
        began = self._clock()
        result: Any = None
        error: AppError | None = None
        state: State = "done"
        try:
            if work.steps is None:
                result = work.fn(JobContext(self, work))
                if isinstance(result, Generator):
                    work.steps, result = result, None
            if work.steps is not None:
                try:
                    if work.stop.is_set():
                        work.steps.throw(Stopped())
                    next(work.steps)
                    self._turns.took(work, began)
                    self._park(work)
                    return
                except StopIteration as end:
                    result = end.value
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
            work.ended = self._clock()
            work.fn, work.steps = _nothing, None
            self._running[work.lane].remove(work)
            self._forget(work)
            if state == "done":
                self._turns.took(work, began)
                self._ends[work.lane].append(work.ended)
                took, usual = work.ended - work.started, self._usual_seconds.get(work.kind)
                self._usual_seconds[work.kind] = took if usual is None else 0.7 * usual + 0.3 * took
        self._announce(work)

    def _park(self, work: QueuedWork) -> None:
        """A step has ended and another is to come: the work waits for its next turn."""
        with self._changed:
            self._running[work.lane].remove(work)
            work.since = self._clock()
            self._waiting[work.lane].append(work)
            self._changed.notify_all()

    def _end(self, owner: str, which: Callable[[Job[Any]], bool]) -> None:
        person = person_of(owner)
        with self._changed:
            every = [work for lane in (*self._running.values(), *self._waiting.values()) for work in lane]
            gone = [job for work in every for job in work.jobs if job.person == person and which(job)]
        for job in gone:
            job.stop(unseen=True)

    def _line(self, work: QueuedWork, person: str) -> Listed:
        mine = next((job for job in work.jobs if job.person == person), None)
        shown = mine or work.jobs[0]
        return Listed(
            shown.label, shown.view, work.kind, work.state, shown.stopping, shown.until, shown.seconds,
            shown.position, work.progress, work.message, shown.eta_seconds, len(work.people), mine,
        )  # fmt: skip

    def _forget(self, work: QueuedWork) -> None:
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
                self._changed.notify_all()
                if work.state == "queued":
                    self._waiting[work.lane].remove(work)
                    work.state, work.error, work.fn = "stopped", Stopped(), _nothing
        self._announce(work, extra=(job,))

    def _announce(self, work: QueuedWork, extra: tuple[Job[Any], ...] = ()) -> None:
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

    def _ahead(self, work: QueuedWork) -> list[QueuedWork]:
        with self._changed:
            if work.state != "queued":
                return []
            earlier = [other for other in self._waiting[work.lane] if other.order() < work.order()]
            return [*self._running[work.lane], *earlier]

    def _left_seconds(self, work: QueuedWork) -> float | None:
        usual = self._usual_seconds.get(work.kind)
        if work.state == "queued":
            return usual
        spent = self._clock() - work.started
        if work.progress:
            return spent * (1 - work.progress) / work.progress
        return None if usual is None else max(0.0, usual - spent)


def _nothing(context: JobContext) -> None:
    """Stands in for finished work's function, so that what that held can be freed."""
