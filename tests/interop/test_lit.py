"""LIT's client against this project's server, and this project's client against LIT's server code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.aggregate import select
from core.records import GenerationParams, ModelSpec
from core.salience import method, request_for
from core.settings import DEMO_MODEL, ROOT

pytestmark = pytest.mark.interop
HERE = Path(__file__).parent
PROMPT = "Likes: cheese\nAvoids: eggs\nDish: Warm salad with beans, tomatoes and eggs\nAnalysis:"


@pytest.fixture(scope="module")
def lit_python() -> str:
    """The interpreter with LIT in it; made on the first run."""
    made = subprocess.run(
        ["sh", str(HERE / "make_env.sh"), sys.executable], capture_output=True, text=True, cwd=ROOT
    )
    if made.returncode:
        reason = (made.stderr.strip() or "no message").splitlines()[-1]
        pytest.skip(f"the virtual environment with LIT 1.3.1 could not be made: {reason}")
    return str(ROOT / ".venv-interop" / "bin" / "python")


@pytest.fixture(scope="module")
def whence_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """This project's server as a process of its own, on a free port."""
    if not (ROOT / DEMO_MODEL / "model.safetensors").exists():
        pytest.skip("the demo model is not there: run `make train-demo`")
    environment = os.environ | {"WHENCE_DATA_DIR": str(tmp_path_factory.mktemp("data"))}
    environment |= {"HOST": "127.0.0.1", "WHENCE_SERVER_MAX_NEW_TOKENS": "12"}
    process = subprocess.Popen(
        [sys.executable, "-m", "core.server", "--model", DEMO_MODEL, "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                yield found[0]
                break
        else:
            pytest.fail("the server ended before it listened")
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode in (0, -15)


@pytest.fixture(scope="module")
def understood(lit_python: str, whence_server: str) -> dict[str, Any]:
    """What LIT's client made of the server; its address ends in a slash, so it asks for `//predict`."""
    done = subprocess.run(
        [lit_python, str(HERE / "lit_client.py"), f"{whence_server}/", PROMPT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def here() -> Any:
    """The same model in this process."""
    from core.models import load

    return load(ModelSpec("demo", str(ROOT / DEMO_MODEL)))


def test_lits_client_reads_what_the_model_writes(understood: dict[str, Any], here: Any) -> None:
    params = GenerationParams(max_new_tokens=12)
    for prompt, written in zip((PROMPT, PROMPT[:-5]), understood["written"]):
        assert written == here.generate(here.tokenize(prompt), params).text


def test_lits_client_reads_tokens(understood: dict[str, Any], here: Any) -> None:
    made = here.generate(here.tokenize(PROMPT), GenerationParams(max_new_tokens=12)).tokens
    assert len(understood["tokens"]) == len(made)
    assert understood["prompt_tokens"] == made.prompt_len
    shown = "".join(text for text, hidden in zip(understood["tokens"], made.special) if not hidden)
    assert shown.replace("\u2581", " ") == made.text


@pytest.mark.parametrize("name", ["grad_l2", "grad_dot_input"])
def test_lits_client_reads_salience_with_lits_sign(understood: dict[str, Any], here: Any, name: str) -> None:
    made = here.generate(here.tokenize(PROMPT), GenerationParams(max_new_tokens=12)).tokens
    size = len(made)
    spans = ((made.prompt_len, size), (size - 2, size - 1))
    matrix = method(name).run(here, request_for(here, made, name, targets=spans))
    sign = -1 if name == "grad_dot_input" else 1
    for row, one in zip(matrix.values, understood["explained"]):
        assert one["tokens"] == understood["tokens"]
        scale = max(1.0, np.abs(row).max())
        assert np.abs(sign * np.array(one[name]) - row).max() <= 1e-5 * scale
    assert understood["explained"][1][name][size - 2 :] == [0, 0]


@pytest.mark.parametrize("name", ["grad_l2", "grad_dot_input"])
def test_our_client_on_our_server_is_as_good_as_here(whence_server: str, here: Any, name: str) -> None:
    from core.models import load

    far = load(ModelSpec("far", whence_server, backend="lit_server"))
    made = far.generate(far.tokenize(PROMPT), GenerationParams())
    local = here.generate(here.tokenize(PROMPT), GenerationParams(max_new_tokens=12))
    assert made.text == local.text
    assert (made.tokens.char_spans == local.tokens.char_spans).all()
    span = ((made.tokens.prompt_len + 1, made.tokens.prompt_len + 3),)
    there = method(name).run(far, request_for(far, made.tokens, name, targets=span), tokens=made.tokens)
    alone = method(name).run(here, request_for(here, local.tokens, name, targets=span))
    assert np.abs(there.values - alone.values).max() <= 1e-5 * max(1.0, np.abs(alone.values).max())
    far.close()


@pytest.fixture(scope="module")
def lit_server(lit_python: str) -> Iterator[str]:
    """LIT's server code over models done by hand."""
    process = subprocess.Popen(
        [lit_python, str(HERE / "lit_server.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port, "LIT's server ended before it listened"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.fixture
def remote(lit_server: str) -> Iterator[Any]:
    from core.models import load

    model = load(ModelSpec("lit", lit_server, backend="lit_server"))
    yield model
    model.close()


def test_our_client_generates_through_lits_server(remote: Any) -> None:
    made = remote.generate(remote.tokenize("ab cé"), GenerationParams())
    assert made.text == "éc b"
    assert made.tokens.strings == tuple("ab céé" + "c b")


def test_our_client_explains_through_lits_server(remote: Any) -> None:
    """`values` by hand: -(n - i) - n % 3 - 1 in Whence's sign, and the norm of the same vector."""
    tokens = remote.tokenize("ab c", "xyz")
    dots = method("grad_dot_input").run(remote, request_for(remote, tokens, "grad_dot_input"), tokens=tokens)
    norms = method("grad_l2").run(remote, request_for(remote, tokens, "grad_l2"), tokens=tokens)
    for row, n in enumerate((4, 5, 6)):
        for i in range(7):
            vector = np.array([n - i, n % 3, 1]) if i < n else np.zeros(3)
            assert dots.values[row, i] == pytest.approx(-vector.sum(), abs=1e-5)
            assert norms.values[row, i] == pytest.approx(np.linalg.norm(vector), abs=1e-5)
    both = select(norms, np.array([True, False, True]))
    assert both[0] == pytest.approx(np.linalg.norm([4 + 6, 1 + 0, 2]), rel=1e-5)
