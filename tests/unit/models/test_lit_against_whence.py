"""This project's LIT client against this project's model server, a real process with a tiny model."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from core import salience
from core.models import load
from core.models.language_model import LanguageModel
from core.models.remote import lit_server
from core.records import GenerationParams, ModelSpec, SalienceMatrix

PROMPT, ANSWER = "The soup has cheese in it.", " A vegan would not."


@pytest.fixture(scope="module")
def served(model_folder: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of the tiny Gemma 2."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = tmp_path_factory.mktemp("server")
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "WHENCE_DATA_DIR": str(home),
        "PRECISION": "float32",
    }
    command = [
        sys.executable, "-m", "core.server", "--model", str(model_folder("gemma2")),
        "--host", "127.0.0.1", "--port", str(port),
    ]  # fmt: skip
    log = home / "log.txt"
    with log.open("w") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(1200):
            assert process.poll() is None, log.read_text()[-3000:]
            try:
                if httpx.get(f"{url}/readyz", timeout=2, trust_env=False).is_success:
                    break
            except httpx.HTTPError:
                pass
            time.sleep(0.1)  # a process that starts: nothing else to wait on
        else:
            raise AssertionError(log.read_text()[-3000:])
        yield url
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def remote(served: str) -> Iterator[lit_server.LitServer]:
    model: Any = load(ModelSpec("far", served, backend="lit_server"))
    yield model
    model.close()


def explained(model: LanguageModel, name: str, first: int) -> SalienceMatrix:
    tokens = model.tokenize(PROMPT, ANSWER)
    targets = ((first, first + 1), (first + 1, first + 3), (first + 3, len(tokens)))
    request = salience.request_for(model, tokens, name, targets=targets)
    return salience.method(name).run(model, request, tokens=tokens)


def test_tokens_and_answers_are_those_of_the_model_itself(
    remote: lit_server.LitServer, load_tiny: Callable[..., Any]
) -> None:
    local = load_tiny("gemma2")
    here, there = local.tokenize(PROMPT, ANSWER), remote.tokenize(PROMPT, ANSWER)
    assert there.strings == here.strings
    assert there.prompt_len == here.prompt_len
    assert there.response == ANSWER
    np.testing.assert_array_equal(there.special, here.special)
    made = remote.generate(remote.tokenize(PROMPT), GenerationParams())
    assert local.generate(local.tokenize(PROMPT), GenerationParams()).text.startswith(made.text[:10])


@pytest.mark.parametrize("name", ["grad_l2", "grad_dot_input"])
def test_salience_is_that_of_the_model_itself(
    remote: lit_server.LitServer, load_tiny: Callable[..., Any], name: str
) -> None:
    local = load_tiny("gemma2")
    first = local.tokenize(PROMPT).prompt_len
    here, there = explained(local, name, first), explained(remote, name, first)
    scale = float(np.abs(here.values).max())
    np.testing.assert_allclose(there.values / scale, here.values / scale, atol=1e-5)
    assert there.signed == here.signed
    if here.gram is not None:
        assert there.gram is not None
        largest = float(np.abs(here.gram).max())
        np.testing.assert_allclose(there.gram / largest, here.gram / largest, atol=1e-5)
