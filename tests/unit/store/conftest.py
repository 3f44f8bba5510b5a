"""Records small enough to check by eye, and a store in a temporary folder."""

from __future__ import annotations

import secrets
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.records import Generation, GenerationParams, ModelSpec, SalienceMatrix, SalienceRequest, Tokens
from core.settings import ROOT
from core.store import Store


def make_generation(prompt: str = "ab", response: str = "cd", name: str = "tiny") -> Generation:
    """One token a character; each token of the response has probability 1/2."""
    text = prompt + response
    size = len(text)
    tokens = Tokens(
        ids=np.arange(size),
        text=text,
        char_spans=np.array([(i, i + 1) for i in range(size)], np.int64).reshape(size, 2),
        special=np.zeros(size, bool),
        role=np.array([0] * len(prompt) + [1] * len(response)),
        prompt_len=len(prompt),
    )
    logprobs = np.full(len(response), np.log(0.5), np.float32)
    spec = ModelSpec(name, f"models/{name}")
    return Generation("e1", spec, GenerationParams(), tokens, response, logprobs, "eos", 0.25)


def make_matrix(seed: int = 0, tokens: int = 6, rows: int = 2, *, gram: bool = True) -> SalienceMatrix:
    """Random scores; the gram is that of random gradients, so it is symmetric."""
    rng = np.random.default_rng(seed)
    targets = tuple((tokens - rows + i, tokens - rows + i + 1) for i in range(rows))
    request = SalienceRequest(
        ModelSpec("tiny", "models/tiny"),
        tuple(int(i) for i in rng.integers(100, 1000, tokens)),
        tokens - rows,
        "grad_l2",
        targets,
        (("steps", 8),),
    )
    gradients = rng.standard_normal((tokens, rows, 4)).astype(np.float32)
    inner = np.einsum("tnd,tmd->tnm", gradients, gradients)
    inner = ((inner + inner.transpose(0, 2, 1)) / 2).astype(np.float32)
    values = np.sqrt(np.einsum("tnn->nt", inner))
    return SalienceMatrix(
        request, values, inner if gram else None, False, "nats per unit", "Grouped by word."
    )


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server made for this run, or a skip that says why there is none."""
    folder = Path(tempfile.gettempdir()) / f"whence-postgres-{secrets.token_hex(4)}"
    pytest.importorskip("psycopg", reason="PostgreSQL's driver is not installed: requirements-postgres.lock")
    script = ["sh", str(ROOT / "tools" / "postgres.sh")]
    started = subprocess.run([*script, "start", str(folder)], capture_output=True, text=True, check=False)
    if started.returncode == 3:
        pytest.skip(f"no PostgreSQL server can be started: {started.stderr.strip().splitlines()[-1:]}")
    assert started.returncode == 0, started.stderr
    yield started.stdout.strip()
    subprocess.run([*script, "stop", str(folder)], check=True)


@pytest.fixture
def postgres_url(postgres: str) -> Iterator[str]:
    """The address of an empty database."""
    import psycopg

    name = f"test_{secrets.token_hex(4)}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    yield postgres.rpartition("/")[0] + f"/{name}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """Either kind of database, empty."""
    return "" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
def open_store(tmp_path: Path, database_url: str) -> Iterator[Callable[..., Store]]:
    """`open_store(**options)`: a store on the test's database; several are several processes' views of it."""
    opened: list[Store] = []

    def make(**options: Any) -> Store:
        options.setdefault("bundle", tmp_path / "bundle")
        opened.append(Store(database_url, tmp_path / "data", **options))
        return opened[-1]

    yield make
    for made in opened:
        made.close()


@pytest.fixture
def store(open_store: Callable[..., Store]) -> Store:
    return open_store()
