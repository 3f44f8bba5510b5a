"""What the sidebar says of jobs, and what happens when a person leaves."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from core.jobs import JobContext, JobQueue, Listed
from core.ui.shell import presence
from core.ui.shell.job_list import in_words
from core.ui.shell.presence import Presence

LONG = 20.0
LINE = Listed(
    "Map of the answer, GIM", "Why this answer? · e1", "salience", "running", False, "view",
    12.4, 0, 0.25, "", None, 1, None,
)  # fmt: skip


def held_queue() -> tuple[JobQueue, threading.Event]:
    queue, started, go = JobQueue(), threading.Event(), threading.Event()

    def hold(context: JobContext) -> None:
        started.set()
        assert go.wait(LONG)

    queue.submit(hold, kind="first", key="first", owner="nobody")
    assert started.wait(LONG)
    return queue, go


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Map of the answer, GIM · for “Why this answer?” · 12 s · 25%"),
        ({"stopping": True}, "Map of the answer, GIM · for “Why this answer?” · stopping"),
        (
            {"state": "queued", "position": 2},
            "Map of the answer, GIM · for “Why this answer?” · waits, 2 before it",
        ),
        (
            {"view": "", "until": "done", "seconds": 300.0},
            "Map of the answer, GIM · 5 min · 25% · goes on when you leave",
        ),
    ],
)
def test_a_job_of_ones_own_in_words(changes: dict, said: str) -> None:
    queue, go = held_queue()
    mine = queue.submit(lambda context: None, kind="k", key="k", owner="ann")
    assert in_words(replace(LINE, mine=mine, **changes)) == said
    go.set()
    queue.close()


def test_of_other_peoples_jobs_only_that_they_are_there_is_told() -> None:
    assert in_words(LINE) == "Somebody else's work · 12 s · 25%"


def test_a_closed_tab_ends_its_views_at_once_and_its_answers_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(presence, "GRACE_SECONDS", 3_600.0)
    queue, go = held_queue()
    common = {"fn": lambda context: None, "owner": "ann"}
    view = queue.submit(**common, kind="map", key="1", view="page", until="view")
    answer = queue.submit(**common, kind="generate", key="2")
    run = queue.submit(**common, kind="run", key="3", until="done")
    here = Presence(queue, "ann")
    here.left()
    assert [job.state for job in (view, answer, run)] == ["stopped", "queued", "queued"]
    Presence(queue, "ann").came()  # the connection is back in time
    assert "ann" not in presence._leaving
    here.left()
    presence._leaving["ann"].cancel()
    here.gone()
    assert [job.state for job in (view, answer, run)] == ["stopped", "stopped", "queued"]
    go.set()
    run.get(LONG)
    queue.close()
