"""A process killed in the middle of a write loses at most that write; nothing before it, nothing half."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.settings import ROOT
from core.store import Store, WorkList, generation_key
from core.store.bundle import read_salience
from tests.unit.store.conftest import make_generation
from tests.unit.store.writer import ROWS


def write_until_killed(database_url: str, data_dir: Path, after: int) -> list[tuple[str, str]]:
    """What the writer had confirmed when it was killed, right after its `after`-th confirmation."""
    command = [sys.executable, "-m", "tests.unit.store.writer", database_url, str(data_dir)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline() for _ in range(after)]
        writer.send_signal(signal.SIGKILL)
        said += writer.stdout.readlines()
    assert writer.returncode == -signal.SIGKILL
    pairs = [line.split() for line in said if line.endswith("\n")]
    return [(kind, name) for kind, name in pairs]


@pytest.mark.parametrize("after", [4, 6])
def test_a_killed_writer_loses_at_most_the_write_in_flight(
    tmp_path: Path, database_url: str, after: int
) -> None:
    data_dir = tmp_path / "data"
    confirmed = write_until_killed(database_url, data_dir, after)
    assert len(confirmed) >= after
    store = Store(database_url, data_dir, bundle=tmp_path / "none")
    workspace = store.workspace()
    held = {dataset.id: dataset.rows for dataset in workspace.datasets.all()}
    assert set(held.values()) == {ROWS}
    assert len(held) - sum(kind == "dataset" for kind, _ in confirmed) in (0, 1)
    (listed,) = WorkList(workspace).all(unfinished=True)
    results = WorkList(workspace).results(listed.id)
    for kind, name in confirmed:
        if kind == "dataset":
            assert len(workspace.examples.of(name)) == ROWS
        elif kind == "generation":
            made = make_generation(f"prompt {name}", "answer")
            found = store.generation(generation_key(f"prompt {name}", made.model, made.params))
            assert found is not None and found.text == "answer"
        elif kind == "salience":
            assert store.salience(name) is not None
        else:
            assert results[name] == {"row": int(name)}
    assert len(WorkList(workspace).pending(listed.id)) == 1000 - len(results)
    assert all(read_salience(path) for path in (data_dir / "salience").glob("??/*.npz"))
    workspace.datasets.add("and it goes on", workspace.examples.of(next(iter(held)))[:3])
    store.close()
