"""Makes `data/precomputed`: the first sample's answer and maps, so that the first page paints before torch.

    python -m tools.precompute

The files are what `core.service` finds by content; a test recomputes them and compares.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from core.datasets.samples import load
from core.records import Generation, GenerationParams, SalienceMatrix
from core.service import Service
from core.settings import Settings
from core.store.bundle import Bundle
from core.store.store import PRECOMPUTED, Store

METHODS = ("gim", "grad_l2", "grad_dot_input")


def compute(folder: Path) -> tuple[Generation, list[SalienceMatrix]]:
    """The first sample's greedy answer and its matrices, computed afresh with a store in `folder`."""
    settings = Settings(data_dir=folder)
    store = Store("", folder, bundle=folder / "none")
    service = Service(settings, store)
    try:
        spec, sample = service.spec(), load()[0]
        job = service.answers.generate(sample.prompt, spec, GenerationParams(), owner="precompute")
        job.wait()
        generation = job.result
        if generation is None:
            raise job.error or RuntimeError("no answer")
        made = []
        for method in METHODS:
            filled = service.maps.fill(generation.tokens, spec, method, owner=f"precompute {method}")
            filled.wait()
            if filled.result is None:
                raise filled.error or RuntimeError("no map")
            made.append(filled.result[method])
        return generation, made
    finally:
        service.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        generation, matrices = compute(Path(folder))
    shutil.rmtree(PRECOMPUTED, ignore_errors=True)
    bundle = Bundle(PRECOMPUTED)
    bundle.write_generation(load()[0].prompt, generation)
    for matrix in matrices:
        bundle.write_salience(matrix)
    size = sum(path.stat().st_size for path in PRECOMPUTED.rglob("*") if path.is_file())
    print(f"{PRECOMPUTED.name}: 1 answer, {len(matrices)} maps, {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
