"""Writes to a store without end and says so after each write; `test_killed.py` kills it."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from core.records import Example
from core.store import Store, WorkList, generation_key
from tests.unit.store.conftest import make_generation, make_matrix

ROWS = 1_000


def main(database_url: str, data_dir: Path) -> None:
    store = Store(database_url, data_dir, bundle=data_dir / "none")
    workspace = store.workspace()
    work = WorkList(workspace)
    listed = work.begin("run", "all rows", [str(i) for i in range(1000)], {})
    for i in count():
        rows = [Example(f"{i}-{n}", f"prompt {i} {n} " * 20) for n in range(ROWS)]
        dataset = workspace.datasets.add(f"set {i}", rows)
        print("dataset", dataset.id, flush=True)
        made = make_generation(f"prompt {i}", "answer")
        store.save_generation(
            generation_key(f"prompt {i}", made.model, made.params), made, prompt=f"prompt {i}"
        )
        print("generation", i, flush=True)
        matrix = make_matrix(i, tokens=400, rows=30)
        store.save_salience(matrix)
        print("salience", matrix.request.key, flush=True)
        work.finish(listed.id, {str(i): {"row": i}})
        print("work", i, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
