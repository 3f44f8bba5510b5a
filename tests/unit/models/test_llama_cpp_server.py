"""llama.cpp's own server (the wheel `xllamacpp`) on the loopback address, serving a tiny model of random weights."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.models.remote import openai_compatible
from core.records import GenerationParams, ModelSpec
from tests.unit.conftest import make_tokenizer
from tests.unit.models.local.gguf_files import write

pytest.importorskip("xllamacpp")

SERVE = """
import sys, xllamacpp
p = xllamacpp.CommonParams()
p.model.path, p.n_ctx, p.n_parallel, p.warmup, p.verbosity = sys.argv[1], 256, 1, False, -1
p.hostnames, p.port = ["127.0.0.1"], 0
p.cpuparams.n_threads = p.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(p)
print("AT", server.listening_address, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    file = tmp_path / "tiny.gguf"
    write(file, "llama", make_tokenizer())
    command = [sys.executable, "-c", SERVE, str(file)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        said = next((line for line in process.stdout if line.startswith("AT ")), "")
        assert said, "the server ended without saying where it listens"
        yield f"{said.split()[1]}/v1"
        process.kill()


def test_it_is_connected_answers_and_is_known_to_tell_no_targets_probability(served: str) -> None:
    model = openai_compatible.load(ModelSpec("l", served, backend="openai_compatible"))
    assert model.capabilities.generate and model.capabilities.own_probabilities
    assert not model.capabilities.logprobs  # it ignores `echo`
    made = model.generate(model.tokenize("The soup has"), GenerationParams(max_new_tokens=6))
    assert made.text == made.tokens.response and made.stop_reason in ("length", "eos")
    assert len(made.logprob_nats) == len(made.tokens) - made.tokens.prompt_len
    assert np.isfinite(made.logprob_nats).all() and (made.logprob_nats < 0).all()
    model.close()
