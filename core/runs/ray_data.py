"""The Ray runner: one actor a device builds the model from its spec, and results stream back into the store.

Ray Data runs `compute` on actors and does the blocks of a lost actor again; keeping is done here, in one
process, each row once. Rows and results travel as JSON text. With `RAY_ADDRESS` a running cluster is
joined, else one is started on this machine. Workers know neither the store nor the service.
Source: https://docs.ray.io/en/latest/data/transforming-data.html (stateful transforms on an actor pool).
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from core.errors import AppError
from core.jobs import Job, JobContext
from core.records import Example, ModelSpec
from core.runs.batch import computed, from_wire, to_wire
from core.runs.drive import Batches, DatasetTask, Desk, Item, Report, Steps, drive, key_of
from core.settings import PACKAGE

if TYPE_CHECKING:
    from core.service import Service
    from core.store.workspace import Workspace

LANE = "ray"
_OBJECT_STORE_BYTES = 256 * 1024 * 1024
_starting = threading.Lock()

Load = Callable[[ModelSpec], Any]


def load_model(spec: ModelSpec) -> Any:
    """The model of a worker, on the one device that Ray gave it."""
    from core.models import load

    return load(spec)


class Worker:
    """One actor: a model, built once, and `compute` for every batch that comes."""

    def __init__(self, task: DatasetTask, spec: ModelSpec, load: Load) -> None:
        self.task = task
        self.model = load(spec) if task.needs_model else None

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        items = [from_wire(text) for text in batch["item"]]
        found = computed(self.task, items, self.model, None)
        ids = list(found)
        return {
            "id": ids,
            "result": [to_wire(found[name]) for name in ids],
            "process": [os.getpid()] * len(ids),
        }


class RayRunner:
    """Runs tasks on a Ray cluster.

    `actors`: how many models at once; None is one a GPU of the cluster, or one a machine where there is none.
    """

    name = "ray"
    label = "Ray cluster"

    def __init__(self, service: Service, *, actors: int | None = None, load: Load = load_model) -> None:
        self.service, self.actors, self._load = service, actors, load
        if find_spec("ray") is None:
            raise AppError(
                "The runner is set to Ray, but Ray is not installed.",
                hint="Run: pip install --no-deps -r requirements-ray.lock, or set WHENCE_BACKEND=local.",
            )

    def run(
        self, task: DatasetTask, rows: Sequence[Example], spec: ModelSpec, *, workspace: Workspace, owner: str
    ) -> Job[Report]:
        """A job that runs `task` on `rows`; stopped or killed, the same call goes on where it was."""
        spec = self.service.resolve(spec)
        desk = Desk(self.service.store, workspace, spec)

        def work(context: JobContext) -> Steps:
            return drive(task, rows, desk, context, self._batches_of(spec))

        key = key_of(task, [{"id": row.id} for row in rows], spec)
        return self.service.jobs.submit(
            work,
            kind=f"task {task.kind}",
            key=key,
            owner=owner,
            lane=LANE,
            until="done",
            label=f"{task.label}: {len(rows):,} rows",
        )

    def _batches_of(self, spec: ModelSpec) -> Callable[[DatasetTask, list[Item], JobContext], Batches]:
        def batches(task: DatasetTask, items: list[Item], context: JobContext) -> Batches:
            context.progress(None, "Starting the workers")
            connect()
            for part in self.stream(task, items, spec):
                context.check()
                yield {name: from_wire(text) for name, text in zip(part["id"], part["result"])}

        return batches

    def stream(self, task: DatasetTask, items: Sequence[Item], spec: ModelSpec) -> Any:
        """Batches (`id`, `result` as JSON, `process` that made it) as workers finish them, in any order."""
        import ray

        # One block a batch: a lost worker's batch is what has to be done again, and results come as made.
        blocks = max(1, -(-len(items) // task.batch))
        listed = ray.data.from_items(
            [{"item": to_wire(item)} for item in items], override_num_blocks=min(blocks, len(items))
        )
        size, gpus = self._pool(spec)
        made = listed.map_batches(
            Worker,
            fn_constructor_args=(task, spec, self._load),
            batch_size=None,
            compute=ray.data.ActorPoolStrategy(size=min(size, blocks)),
            num_cpus=None if gpus else 1,
            num_gpus=gpus or None,
        )
        return made.iter_batches(batch_size=None, prefetch_batches=0)

    def _pool(self, spec: ModelSpec) -> tuple[int, float]:
        """(actors, GPUs of each) for the device that the spec asks for."""
        import ray

        here = ray.cluster_resources()
        gpus = int(here.get("GPU", 0)) if spec.device != "cpu" else 0
        machines = sum(1 for name in here if name.startswith("node:") and "internal_head" not in name)
        return self.actors or gpus or max(machines, 1), 1.0 if gpus else 0.0


def connect() -> None:
    """Joins the cluster of `RAY_ADDRESS`, or starts one here; does nothing where that was done.

    Takes seconds, so it is called within a job. Raises: AppError where the cluster does not answer.
    """
    import ray
    import ray.data

    with _starting:
        if ray.is_initialized():
            return
        address = os.environ.get("RAY_ADDRESS") or None
        options: dict[str, Any] = {"address": address, "log_to_driver": False, "logging_level": logging.ERROR}
        if address is None:
            options |= {"include_dashboard": False, "object_store_memory": _OBJECT_STORE_BYTES}
            options["runtime_env"] = {"env_vars": {"PYTHONPATH": str(PACKAGE.parent)}}
        else:
            options["runtime_env"] = {"py_modules": [str(PACKAGE)]}
        try:
            ray.init(**options)
        except (ConnectionError, OSError, RuntimeError) as error:
            where = f"the Ray cluster at {address}" if address else "a Ray cluster on this machine"
            raise AppError(f"No connection to {where}: {str(error).splitlines()[0]}") from error
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.execution_options.preserve_order = False
