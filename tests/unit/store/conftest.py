"""Records small enough to check by eye, and a store in a temporary folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.records import Generation, GenerationParams, ModelSpec, SalienceMatrix, SalienceRequest, Tokens
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


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store("", tmp_path / "data", bundle=tmp_path / "bundle")
    yield made
    made.close()
