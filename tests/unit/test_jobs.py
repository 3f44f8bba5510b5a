"""Jobs, driven step by step with events: no test sleeps, and none depends on how fast the machine is."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Generator, Iterator

import pytest

from core.errors import AppError, Stopped
from core.jobs import Job, JobContext, JobQueue

LONG = 20.0
"""Bound of waits that end at once when the code is right."""


@pytest.fixture
def queue() -> Iterator[JobQueue]:
    queue = JobQueue()
    yield queue
    queue.close()


class Gate:
    """Work that says when it has started and goes on when told."""

    def __init__(self, result: object = "done") -> None:
        self.result = result
        self.started, self.go = threading.Event(), threading.Event()
        self.runs = 0

    def __call__(self, context: JobContext) -> object:
        self.runs += 1
        self.started.set()
        assert self.go.wait(LONG)
        context.check()
        return self.result


def submit(queue: JobQueue, fn: Callable[[JobContext], object], key: str, owner: str = "a", **more) -> Job:
    return queue.submit(fn, kind=more.pop("kind", "work"), key=key, owner=owner, **more)


def test_a_result_arrives_and_the_queue_is_empty_again(queue: JobQueue) -> None:
    job = submit(queue, lambda context: 6 * 7, "k")
    assert job.get(LONG) == 42
    assert (job.state, job.result, job.error, job.position, job.eta_seconds) == ("done", 42, None, 0, 0.0)
    assert queue.depth == 0


def test_progress_partial_and_message_are_seen_while_it_runs(queue: JobQueue) -> None:
    seen, go = threading.Event(), threading.Event()

    def work(context: JobContext) -> str:
        context.progress(0.25, "loading", partial="He")
        context.progress(0.5)
        seen.set()
        assert go.wait(LONG)
        return "Hello"

    job = submit(queue, work, "k")
    assert seen.wait(LONG)
    assert (job.state, job.progress, job.message, job.partial) == ("running", 0.5, "loading", "He")
    assert job.eta_seconds is not None
    assert job.result is None
    assert not job.wait(0)
    go.set()
    assert job.get(LONG) == "Hello"


def test_one_lane_runs_one_after_the_other_and_tells_positions(queue: JobQueue) -> None:
    first, rest = Gate(), [Gate() for _ in range(3)]
    jobs = [submit(queue, gate, str(i), owner=str(i)) for i, gate in enumerate([first, *rest])]
    assert first.started.wait(LONG)
    assert [job.position for job in jobs] == [0, 1, 2, 3]
    assert [job.state for job in jobs] == ["running", "queued", "queued", "queued"]
    assert queue.depth == 4
    assert not any(gate.started.is_set() for gate in rest)
    jobs[1].stop()
    assert [job.position for job in jobs] == [0, 0, 1, 2]
    for gate in (first, *rest):
        gate.go.set()
    assert [job.wait(LONG) for job in jobs] == [True] * 4
    assert [job.state for job in jobs] == ["done", "stopped", "done", "done"]


def test_lanes_run_side_by_side(queue: JobQueue) -> None:
    gates = Gate(), Gate()
    jobs = [submit(queue, gate, str(i), owner=str(i), lane=f"cuda:{i}") for i, gate in enumerate(gates)]
    assert all(gate.started.wait(LONG) for gate in gates)
    for gate in gates:
        gate.go.set()
    assert [job.get(LONG) for job in jobs] == ["done", "done"]


def test_the_same_request_of_two_people_is_one_piece_of_work(queue: JobQueue) -> None:
    gate = Gate()
    ours = submit(queue, gate, "k", owner="a")
    theirs = submit(queue, gate, "k", owner="b")
    again = submit(queue, gate, "k", owner="a")
    assert ours.id == theirs.id
    assert again is ours
    gate.go.set()
    assert ours.get(LONG) == theirs.get(LONG) == "done"
    assert gate.runs == 1


def test_work_goes_on_until_its_last_owner_has_left(queue: JobQueue) -> None:
    gate = Gate()
    ours, theirs = submit(queue, gate, "k", owner="a"), submit(queue, gate, "k", owner="b")
    assert gate.started.wait(LONG)
    ours.stop()
    assert ours.wait(LONG)
    assert (ours.state, type(ours.error), theirs.state) == ("stopped", Stopped, "running")
    gate.go.set()
    assert theirs.get(LONG) == "done"
    assert (ours.state, ours.result) == ("stopped", None)


def test_stop_reaches_the_work_and_frees_the_key_at_once(queue: JobQueue) -> None:
    gate, fresh = Gate(), Gate("fresh")
    job = submit(queue, gate, "k")
    assert gate.started.wait(LONG)
    job.stop()
    job.stop()
    again = submit(queue, fresh, "k")
    assert again.id != job.id
    fresh.go.set()
    gate.go.set()
    assert again.get(LONG) == "fresh"
    with pytest.raises(Stopped):
        job.get(LONG)


def test_stopped_work_may_still_hand_over_what_it_had(queue: JobQueue) -> None:
    started = threading.Event()

    def write(context: JobContext) -> str:
        started.set()
        assert context.stop.wait(LONG)
        return "half an answ"

    job = submit(queue, write, "k")
    assert started.wait(LONG)
    assert not job.stopping
    job.stop()
    assert job.wait(LONG)
    assert (job.state, job.result, job.stopping) == ("stopped", "half an answ", False)
    with pytest.raises(Stopped):
        job.get(LONG)


def test_a_newer_request_of_a_kind_replaces_the_owners_older_one(queue: JobQueue) -> None:
    gates = [Gate() for _ in range(5)]
    old = submit(queue, gates[0], "1", owner="a", kind="salience")
    assert gates[0].started.wait(LONG)
    other_kind = submit(queue, gates[1], "2", owner="a", kind="generate")
    other_owner = submit(queue, gates[2], "3", owner="b", kind="salience")
    beside = submit(queue, gates[3], "4", owner="a", kind="salience", replaces=False)
    newer = submit(queue, gates[4], "5", owner="a", kind="salience")
    assert old.stopping
    for gate in gates:
        gate.go.set()
    assert old.wait(LONG)
    assert old.state == "stopped"
    for job in (other_kind, other_owner, beside, newer):
        assert job.get(LONG) == "done"


def test_a_queued_job_that_nobody_waits_for_never_runs(queue: JobQueue) -> None:
    busy, dropped = Gate(), Gate()
    running, waiting = submit(queue, busy, "1"), submit(queue, dropped, "2", owner="b")
    assert busy.started.wait(LONG)
    waiting.stop()
    assert waiting.state == "stopped"
    busy.go.set()
    assert running.get(LONG) == "done"
    assert dropped.runs == 0


def test_errors_for_people_are_kept_and_bugs_are_logged_whole(
    queue: JobQueue, caplog: pytest.LogCaptureFixture
) -> None:
    def told(context: JobContext) -> None:
        raise AppError("Too long: 9 tokens, at most 5.", code="too_long")

    def bug(context: JobContext) -> None:
        raise KeyError("secret detail")

    def memory(context: JobContext) -> None:
        raise MemoryError

    def leave(context: JobContext) -> None:
        raise SystemExit(3)

    job = submit(queue, told, "1")
    with pytest.raises(AppError, match="9 tokens, at most 5") as caught:
        job.get(LONG)
    assert caught.value.code == "too_long"
    job = submit(queue, bug, "2")
    assert job.wait(LONG)
    assert job.state == "failed"
    assert job.error is not None
    assert job.error.code == "internal"
    assert "secret detail" not in str(job.error)
    assert "secret detail" in caplog.text
    assert "Traceback" in caplog.text
    job = submit(queue, memory, "3")
    assert job.wait(LONG)
    assert job.error is not None
    assert job.error.code == "memory"
    assert submit(queue, leave, "4").wait(LONG)
    assert submit(queue, lambda context: "alive", "5").get(LONG) == "alive"


def test_a_full_queue_says_so_with_figures_but_lets_people_join() -> None:
    queue = JobQueue(max_queued=1)
    busy, waiting = Gate(), Gate()
    submit(queue, busy, "1", owner="a")
    assert busy.started.wait(LONG)
    submit(queue, waiting, "2", owner="b")
    with pytest.raises(AppError, match="1 requests are waiting already, and at most 1") as caught:
        submit(queue, Gate(), "3", owner="c")
    assert caught.value.code == "busy"
    joined = submit(queue, waiting, "2", owner="c")
    busy.go.set()
    waiting.go.set()
    assert joined.get(LONG) == "done"
    queue.close()


def test_urgent_work_goes_first_and_long_work_gives_way(queue: JobQueue) -> None:
    order: list[str] = []
    started, go = threading.Event(), threading.Event()

    def long(context: JobContext) -> None:
        order.append("long 1")
        started.set()
        assert go.wait(LONG)
        context.give_way()
        order.append("long 2")

    def note(name: str) -> Callable[[JobContext], None]:
        return lambda context: order.append(name)

    first = submit(queue, long, "1", owner="a", priority=-1)
    assert started.wait(LONG)
    jobs = [
        first,
        submit(queue, note("as long"), "2", owner="b", priority=-1),
        submit(queue, note("click"), "3", owner="c"),
        submit(queue, note("urgent"), "4", owner="d", priority=5),
    ]
    go.set()
    assert all(job.wait(LONG) for job in jobs)
    assert order == ["long 1", "urgent", "click", "long 2", "as long"]


def test_beside_a_held_model_only_its_own_work_may_pass(queue: JobQueue) -> None:
    order: list[str] = []
    started, go = threading.Event(), threading.Event()

    def long(context: JobContext) -> None:
        started.set()
        assert go.wait(LONG)
        context.give_way("demo")
        order.append("long")

    def note(name: str) -> Callable[[JobContext], None]:
        return lambda context: order.append(name)

    first = submit(queue, long, "1", owner="a", model="demo")
    assert started.wait(LONG)
    jobs = [
        first,
        submit(queue, note("other model"), "2", owner="b", priority=5, model="other"),
        submit(queue, note("no click"), "3", owner="c", model="demo"),
        submit(queue, note("click"), "4", owner="d", priority=5, model="demo"),
    ]
    go.set()
    assert all(job.wait(LONG) for job in jobs)
    assert order == ["click", "long", "other model", "no click"]


def test_listeners_hear_changes_and_a_faulty_one_harms_nobody(queue: JobQueue) -> None:
    gate = Gate()
    heard: list[str] = []
    ended = threading.Event()

    def listen(job: Job) -> None:
        heard.append(job.state)
        if job.finished:
            ended.set()

    def faulty(job: Job) -> None:
        raise ValueError

    job = submit(queue, gate, "k")
    job.on_change(faulty)
    job.on_change(listen)
    assert gate.started.wait(LONG)
    gate.go.set()
    assert ended.wait(LONG)
    assert heard[-1] == "done"
    late: list[str] = []
    job.on_change(lambda job: late.append(job.state))
    assert late == ["done"]


def test_a_wait_that_is_too_long_is_an_error_with_the_figure(queue: JobQueue) -> None:
    gate = Gate()
    job = submit(queue, gate, "k")
    with pytest.raises(AppError, match="the 0 seconds allowed") as caught:
        job.get(0)
    assert caught.value.code == "timeout"
    gate.go.set()
    assert job.get(LONG) == "done"


def test_eta_adds_what_such_jobs_took_before(queue: JobQueue) -> None:
    submit(queue, lambda context: None, "0").get(LONG)
    queue._usual_seconds["work"] = 10.0
    gate, unknown = Gate(), Gate()
    running = submit(queue, gate, "1", owner="a")
    assert gate.started.wait(LONG)
    second = submit(queue, Gate(), "2", owner="b")
    third = submit(queue, unknown, "3", owner="c", kind="never seen")
    assert running.eta_seconds == pytest.approx(10, abs=10)
    assert second.eta_seconds == pytest.approx(20, abs=10)
    assert third.eta_seconds is None
    second.stop()
    gate.go.set()
    unknown.go.set()


def test_close_answers_everybody_and_takes_no_more() -> None:
    queue = JobQueue()
    gate, never = Gate(), Gate()
    running, waiting = submit(queue, gate, "1"), submit(queue, never, "2", owner="b")
    assert gate.started.wait(LONG)
    closer = threading.Thread(target=queue.close)
    closer.start()
    assert waiting.wait(LONG)
    gate.go.set()
    assert running.wait(LONG)
    closer.join(LONG)
    assert not closer.is_alive()
    assert (running.state, waiting.state, never.runs) == ("stopped", "stopped", 0)
    with pytest.raises(AppError) as caught:
        submit(queue, Gate(), "3")
    assert caught.value.code == "closed"


def test_close_lets_work_in_flight_end_within_the_grace() -> None:
    queue = JobQueue()
    gate = Gate()
    job = submit(queue, gate, "1")
    assert gate.started.wait(LONG)
    closer = threading.Thread(target=queue.close, args=(LONG,))
    closer.start()
    gate.go.set()
    closer.join(LONG)
    assert (job.state, job.result) == ("done", "done")


def test_an_idle_queue_keeps_no_result_alive(queue: JobQueue) -> None:
    class Big:
        pass

    big = Big()
    held = weakref.ref(big)
    submit(queue, lambda context, value=big: value, "1").get(LONG)
    del big
    submit(queue, lambda context: None, "2").get(LONG)  # the worker has left the first for good
    gc.collect()
    assert held() is None


def in_steps(order: list[str], name: str, count: int, hold: threading.Event | None = None) -> Callable:
    """Work in `count` steps that notes each; before the first it waits for `hold`."""

    def work(context: JobContext) -> Generator[None, None, str]:
        for step in range(count):
            if hold is not None:
                assert hold.wait(LONG)
            context.check()
            order.append(f"{name}{step}")
            yield
        return f"{name} done"

    return work


def held_back(queue: JobQueue, lane: str = "cpu") -> threading.Event:
    """A lane that is busy until the event is set, so that a test can line up what comes then."""
    gate = Gate()
    submit(queue, gate, "the first", owner="nobody", lane=lane, priority=99)
    assert gate.started.wait(LONG)
    return gate.go


def test_people_take_turns_step_by_step(queue: JobQueue) -> None:
    order: list[str] = []
    go = held_back(queue)
    jobs = [
        submit(queue, in_steps(order, "a", 3), "1", owner="ann map"),
        submit(queue, in_steps(order, "A", 2), "2", owner="ann other", kind="other"),
        submit(queue, in_steps(order, "b", 2), "3", owner="bob"),
    ]
    go.set()
    assert [job.get(LONG) for job in jobs] == ["a done", "A done", "b done"]
    assert order == ["a0", "b0", "a1", "b1", "a2", "A0", "A1"]


def test_short_work_passes_long_work_between_two_steps(queue: JobQueue) -> None:
    order: list[str] = []
    reached, go = threading.Event(), threading.Event()

    def long(context: JobContext) -> Generator[None, None, None]:
        order.append("what was waited for")
        context.lower(-5)
        reached.set()
        assert go.wait(LONG)
        yield
        order.append("the rest")

    rest = submit(queue, long, "1", owner="ann")
    assert reached.wait(LONG)
    load = submit(queue, lambda context: order.append("load"), "2", owner="ann", kind="load")
    go.set()
    rest.get(LONG)
    load.get(LONG)
    assert order == ["what was waited for", "load", "the rest"]


def test_work_of_the_model_in_use_goes_on_for_a_while() -> None:
    now = 100.0
    queue = JobQueue(clock=lambda: now)
    order: list[str] = []

    def steps(name: str) -> Callable[[JobContext], Generator[None, None, None]]:
        def work(context: JobContext) -> Generator[None, None, None]:
            nonlocal now
            for step in range(4):
                order.append(f"{name}{step}")
                now += 6.0
                yield

        return work

    go = held_back(queue)
    jobs = [
        submit(queue, steps("a"), "1", owner="ann", model="smollm2"),
        submit(queue, steps("b"), "2", owner="bob", model="gemma"),
    ]
    go.set()
    assert all(job.wait(LONG) for job in jobs)
    queue.close()
    assert order == ["a0", "a1", "b0", "b1", "a2", "a3", "b2", "b3"]


def test_stop_reaches_work_that_waits_for_its_next_turn_and_it_may_clean_up(queue: JobQueue) -> None:
    order: list[str] = []
    reached, go = threading.Event(), threading.Event()

    def long(context: JobContext) -> Generator[None, None, None]:
        context.lower(-1)
        order.append("step")
        try:
            yield
            order.append("another step")
        except Stopped:
            order.append("cleaned up")
            raise

    def between(context: JobContext) -> None:
        reached.set()
        assert go.wait(LONG)

    hold = held_back(queue)
    job = submit(queue, long, "1", owner="ann", priority=1)
    short = submit(queue, between, "2", owner="bob")
    after = submit(queue, lambda context: order.append("after"), "3", owner="bob", kind="other")
    hold.set()
    assert reached.wait(LONG)
    assert (job.state, job.stopping, job.position) == ("running", False, 0)
    job.stop()
    assert job.stopping
    go.set()
    assert job.wait(LONG)
    short.get(LONG)
    after.get(LONG)
    assert job.state == "stopped"
    assert order == ["step", "cleaned up", "after"]


def test_the_list_says_what_runs_for_whom_and_what_waits(queue: JobQueue) -> None:
    gate, next_one = Gate(), Gate()
    mine = submit(
        queue, gate, "1", owner="ann map", label="Map of 17 lines", view="salience e1", until="view"
    )
    assert gate.started.wait(LONG)
    other = submit(queue, next_one, "2", owner="bob", label="Run the model: 200 rows", until="done")
    first, second = queue.listed("ann")
    assert (first.label, first.state, first.view, first.position, first.people) == (
        "Map of 17 lines", "running", "salience e1", 0, 1,
    )  # fmt: skip
    assert first.mine is mine
    assert (second.label, second.state, second.until, second.position) == (
        "Run the model: 200 rows", "queued", "done", 1,
    )  # fmt: skip
    assert second.mine is None
    mine.stop()
    assert queue.listed("ann")[0].stopping
    gate.go.set()
    next_one.go.set()
    other.get(LONG)
    assert queue.listed() == ()


def test_what_nobody_looks_at_any_more_ends(queue: JobQueue) -> None:
    go = held_back(queue)
    gates = [Gate() for _ in range(5)]
    for gate in gates:
        gate.go.set()
    old = submit(queue, gates[0], "1", owner="ann map", view="salience · e1", until="view")
    new = submit(queue, gates[1], "2", owner="ann map 2", view="salience · e2", until="view")
    answer = submit(queue, gates[2], "3", owner="ann", view="salience · e1")
    run = submit(queue, gates[3], "4", owner="ann run", until="done")
    shared = submit(queue, gates[0], "1", owner="bob", view="salience · e1", until="view")
    queue.look("ann", "salience")
    assert (old.state, new.state) == ("queued", "queued")
    queue.look("ann", "salience · e2")
    assert [job.state for job in (old, new, answer, run, shared)] == ["stopped", *["queued"] * 4]
    assert (old.unseen, new.unseen) == (True, False)
    queue.leave("ann", view_only=True)
    assert [job.state for job in (new, answer, run, shared)] == ["stopped", *["queued"] * 3]
    queue.leave("ann")
    assert [job.state for job in (answer, run, shared)] == ["stopped", "queued", "queued"]
    go.set()
    assert run.get(LONG) == shared.get(LONG) == "done"


class Clock:
    """Counts what it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def timed(clock: Clock, order: list[str], name: str, seconds: float) -> Callable[[JobContext], str]:
    def work(_context: JobContext) -> str:
        order.append(name)
        clock.now += seconds
        return name

    return work


def test_short_work_that_comes_later_passes_long_work_and_long_work_is_not_left_behind() -> None:
    clock, order = Clock(), list[str]()
    queue = JobQueue(clock=clock)
    try:
        queue.submit(timed(clock, order, "first", 10.0), kind="w", key="0", owner="z", size=10).get(LONG)
        go = held_back(queue)
        long = queue.submit(timed(clock, order, "long", 5.0), kind="w", key="1", owner="a", size=5)
        clock.now += 1
        early = queue.submit(timed(clock, order, "early", 1.0), kind="w", key="2", owner="b", size=1)
        clock.now += 6
        late = queue.submit(timed(clock, order, "late", 1.0), kind="w", key="3", owner="c", size=1)
        go.set()
        for job in (long, early, late):
            job.get(LONG)
        # due at 110 + 5, 111 + 1 and 117 + 1
        assert order == ["first", "early", "long", "late"]
    finally:
        queue.close()


def test_how_long_what_waits_will_take_by_the_rate_of_what_was_done() -> None:
    clock, order = Clock(), list[str]()
    queue = JobQueue(clock=clock)
    try:
        assert queue.wait_seconds() is None
        for number in range(3):
            queue.submit(timed(clock, order, "w", 2.0), kind="w", key=str(number), owner="a").get(LONG)
        assert queue.wait_seconds() is None  # nothing waits
        go = held_back(queue)
        more = [
            queue.submit(timed(clock, order, "w", 0), kind="w", key=f"m{n}", owner=f"p{n}") for n in range(3)
        ]
        # three were done between 102 and 106, and four are ahead: one of them runs
        assert queue.wait_seconds() == pytest.approx(4 * (106 - 102) / 3)
        clock.now += 2  # none was done meanwhile: the rate falls
        assert queue.wait_seconds() == pytest.approx(4 * (108 - 102) / 3)
        go.set()
        for job in more:
            job.get(LONG)
    finally:
        queue.close()
