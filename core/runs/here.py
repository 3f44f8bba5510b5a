"""The local runner: on this machine's own worker, letting other people's clicks pass between two batches."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.jobs import Job, JobContext
from core.records import Example, ModelSpec
from core.runs.batch import in_batches
from core.runs.drive import DatasetTask, Desk, Report, Steps, drive, key_of
from core.service import BULK, Service
from core.store.keys import model_key
from core.store.workspace import Workspace

if TYPE_CHECKING:
    from core.models.language_model import LanguageModel

LANE = "tables"
"""Where work without a model runs, so that it holds up nobody who waits for one."""


class LocalRunner:
    """Runs tasks through the process's `Service`."""

    name = "local"
    label = "This machine"

    def __init__(self, service: Service) -> None:
        self.service = service

    def run(
        self, task: DatasetTask, rows: Sequence[Example], spec: ModelSpec, *, workspace: Workspace, owner: str
    ) -> Job[Report]:
        """A job that runs `task` on `rows`; stopped or killed, the same call goes on where it was."""
        spec = self.service.resolve(spec)
        desk = Desk(self.service.store, workspace, spec)

        @contextmanager
        def hold(context: JobContext) -> Iterator[tuple[LanguageModel | None, threading.Event]]:
            if not task.needs_model:
                yield None, context.stop
                return
            with self.service.model(spec, context) as model:
                yield model, context.borders(model_key(spec))

        def work(context: JobContext) -> Steps:
            return drive(task, rows, desk, context, in_batches(hold))

        label = f"{task.label}: {len(rows):,} rows"
        kind, key = f"task {task.kind}", key_of(task, [{"id": row.id} for row in rows], spec)
        if task.needs_model:
            return self.service.submit(
                work, spec, kind=kind, key=key, owner=owner, priority=BULK, until="done", label=label
            )
        return self.service.jobs.submit(
            work, kind=kind, key=key, owner=owner, lane=LANE, until="done", label=label
        )
