"""A real `transformers serve` process on the loopback address, serving the demo model (or a tiny one).

Needs the packages of `transformers[serving]` (openai, fastapi, uvicorn), which the development requirements
hold.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from core.models import load
from core.models.remote import openai_compatible
from core.records import GenerationParams, Message, ModelSpec
from core.settings import DEMO_MODEL, ROOT

pytest.importorskip("openai")


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="module")
def folder(model_folder: Callable[..., Path]) -> Path:
    demo = ROOT / DEMO_MODEL
    return demo if (demo / "model.safetensors").exists() else model_folder("llama")


@pytest.fixture(scope="module")
def served(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that serves `folder`."""
    port, log = free_port(), tmp_path_factory.mktemp("serve") / "log.txt"
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(log.parent),
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    command = [
        sys.executable, "-m", "transformers.cli.transformers", "serve", str(folder),
        "--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "float32",
    ]  # fmt: skip
    with log.open("w") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            assert process.poll() is None, log.read_text()[-3000:]
            try:
                if httpx.get(f"{url}/health", timeout=1, trust_env=False).is_success:
                    break
            except httpx.HTTPError:
                time.sleep(0.1)  # a process that starts: nothing else to wait on
        else:
            raise AssertionError(log.read_text()[-3000:])
        yield f"{url}/v1"
    finally:
        process.terminate()
        process.wait(20)


def test_the_served_model_writes_what_the_local_one_writes(
    served: str, folder: Path, request: pytest.FixtureRequest
) -> None:
    remote = openai_compatible.load(ModelSpec("served", served, backend="openai_compatible"))
    request.addfinalizer(remote.close)
    assert remote.capabilities.generate and remote.capabilities.chat
    assert not remote.capabilities.logprobs  # it leaves the question for them unanswered, and says nothing
    local = load(ModelSpec("local", str(folder)))
    params = GenerationParams(max_new_tokens=12)
    prompt = "Avoids: eggs\nDish: Warm salad with beans, tomatoes and eggs\nAnalysis: The"
    heard: list[str] = []
    there = remote.generate(remote.tokenize(prompt), params, on_text=heard.append)
    here = local.generate(local.tokenize(prompt), params)
    assert there.text == here.text
    assert there.text.startswith(heard[0]) and heard[-1] == there.text
    assert np.isnan(there.logprob_nats).all()
    chat = (Message("user", "The soup has cheese in it."),)
    assert (
        remote.generate(remote.tokenize(chat), params).text
        == local.generate(local.tokenize(chat), params).text
    )
    local.close()
