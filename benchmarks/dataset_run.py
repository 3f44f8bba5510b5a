"""The demo model over a dataset, as the Dataset page runs it: batches against one row at a time.

    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.dataset_run

Prompts are the samples with a line in front, eight of each. CPU seconds of the process decide, so that other
work on the machine does not.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import torch

from core.datasets.samples import load
from core.records import Example, GenerationParams
from core.runs import Generate, runner
from core.service import Service
from core.settings import Settings

TIMES = 8


def seconds(rows: list[Example], batch: int) -> tuple[float, float, list[str]]:
    """CPU seconds, seconds and answers of a run from an empty store, the model loaded."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Settings(data_dir=Path(folder), _env_file=None))  # type: ignore[call-arg]
        workspace = service.store.workspace()
        dataset = workspace.datasets.add("rows", rows)
        with service.manager.get(service.spec()) as model:
            model.generate(model.tokenize("warm"), GenerationParams(max_new_tokens=4))
        cpu, wall = time.process_time(), time.perf_counter()
        job = runner(service).run(
            Generate(batch=batch), rows, service.spec(), workspace=workspace, owner="benchmark"
        )
        job.get()
        took = time.process_time() - cpu, time.perf_counter() - wall
        answers = workspace.results.responses(dataset.id).set_index("id")["text"]
        service.close()
        return *took, [answers[row.id] for row in rows]


def main() -> None:
    torch.set_num_threads(1)
    samples = load()
    rows = [Example(f"{e.id}-{k}", f"Task {k}. {e.prompt}") for k in range(TIMES) for e in samples]
    alone, alone_wall, one = seconds(rows, 1)
    batched, batched_wall, many = seconds(rows, 16)
    same = sum(a == b for a, b in zip(one, many))
    print(f"{len(rows)} rows, one at a time  {alone:6.1f} s CPU {alone_wall:6.1f} s")
    print(f"{len(rows)} rows, batches of 16  {batched:6.1f} s CPU {batched_wall:6.1f} s")
    print(f"{alone / batched:.2f} times the throughput; {same} of {len(rows)} answers alike")


if __name__ == "__main__":
    main()
