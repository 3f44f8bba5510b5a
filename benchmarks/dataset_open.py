"""100,000 rows: read from JSON Lines, keep, open as the page's table, search, sort: CPU seconds and clock.

.venv/bin/python -m benchmarks.dataset_open
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from core.datasets import Bounds, load_bytes, search
from core.store import Store

ROWS = 100_000
WORDS = ("soup", "bread", "eggs", "onions", "vegan", "salty", "sweet", "menu", "dish", "must", "not", "rule")
QUERIES = ("vegan source:menu", r"/row 99\d\d /", "n:>99000", 'NOT vegan OR target:""')


def made() -> bytes:
    draw = random.Random(1)
    rows = (
        {
            "prompt": f"row {i} {' '.join(draw.choices(WORDS, k=60))}",
            "target": draw.choice(("yes", "no", "")),
            "source": draw.choice(("menu", "sums", "odd")),
            "n": i,
        }
        for i in range(ROWS)
    )
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def timed(what: str, work: Callable[[], Any]) -> Any:
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    print(
        f"{what:32s} {time.process_time() - cpu:6.2f} s CPU {time.perf_counter() - wall:6.2f} s", flush=True
    )
    return result


def main() -> None:
    data = made()
    with tempfile.TemporaryDirectory() as folder:
        loaded = timed("read 100,000 lines", lambda: load_bytes(data, "rows.jsonl", Bounds()))
        store = Store("", Path(folder))
        dataset = timed("keep", lambda: store.workspace().datasets.add("rows", loaded.examples))
        store.close()
        store = timed("open the store", lambda: Store("", Path(folder)))
        workspace = store.workspace()
        table = timed("open the table", lambda: workspace.results.frame(dataset.id))
        timed("answers beside it", lambda: workspace.results.responses(dataset.id))
        for query in QUERIES:
            timed(f"search {query}", partial(search, table, query))
        timed("sort by n", lambda: table["n"].sort_values(kind="stable"))
        store.close()


if __name__ == "__main__":
    main()
