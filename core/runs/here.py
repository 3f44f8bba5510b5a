"""The local runner: on this machine's own worker, letting other people's clicks pass between two batches."""

from __future__ import annotations

from collections.abc import Sequence

from core.jobs import Job, JobContext
from core.records import Example, ModelSpec
from core.runs.drive import Batches, DatasetTask, Desk, Item, Report, Steps, drive, key_of, safely
from core.service import BULK, Service
from core.store.keys import model_key
from core.store.workspace import Workspace

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

        def batches(task: DatasetTask, items: list[Item], context: JobContext) -> Batches:
            if task.needs_model:
                context.progress(None, "Getting the model ready")
            items = sorted(items, key=lambda item: len(str(item.get("prompt", ""))))
            for start in range(0, len(items), task.batch):
                part = items[start : start + task.batch]
                context.check()
                if not task.needs_model:
                    yield safely(task, part, None, context.stop)
                    continue
                with self.service.model(spec, context) as model:
                    found = safely(task, part, model, context.borders(model_key(spec)))
                yield found

        def work(context: JobContext) -> Steps:
            return drive(task, rows, desk, context, batches)

        label = f"{task.label}: {len(rows):,} rows"
        kind, key = f"task {task.kind}", key_of(task, [{"id": row.id} for row in rows], spec)
        if task.needs_model:
            return self.service.submit(
                work, spec, kind=kind, key=key, owner=owner, priority=BULK, until="done", label=label
            )
        return self.service.jobs.submit(
            work, kind=kind, key=key, owner=owner, lane=LANE, until="done", label=label
        )
