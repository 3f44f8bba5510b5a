"""llama.cpp's own server (the wheel `xllamacpp`) on the loopback address, serving a tiny model of random weights."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.models.remote import openai_compatible, remote_tokens
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


def test_it_is_connected_answers_and_tells_its_own_words_probabilities(served: str) -> None:
    model = openai_compatible.load(ModelSpec("l", served, backend="openai_compatible"))
    assert model.capabilities.generate and model.capabilities.own_probabilities
    assert model.capabilities.requests  # it ignores `echo`
    made = model.generate(model.tokenize("The soup has"), GenerationParams(max_new_tokens=6))
    assert made.text == made.tokens.response and made.stop_reason in ("length", "eos")
    assert len(made.logprob_nats) == len(made.tokens) - made.tokens.prompt_len
    assert np.isfinite(made.logprob_nats).all() and (made.logprob_nats < 0).all()
    model.close()


def test_what_it_does_not_score_is_asked_token_after_token(
    served: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Against the same file read here: the words' probability under a changed prompt, and the cause."""
    from core.cause import CauseRequest
    from core.models import load
    from core.salience.find_cause import find_cause
    from core.salience.taking_out import without

    model = openai_compatible.load(ModelSpec("l", served, backend="openai_compatible"))
    request.addfinalizer(model.close)
    assert model.capabilities.logprobs and model.capabilities.requests
    prompt = "The soup has cheese.\nA vegan\nwould not\nlike it.\nWould they"
    here = load(ModelSpec("here", str(tmp_path / "tiny.gguf")))
    own = here.tokenize(prompt, " has cheese")  # random weights write no whole words of their own
    spans = [
        (int(a) - own.prompt_chars, int(b) - own.prompt_chars) for a, b in own.char_spans[own.prompt_len :]
    ]
    tokens = remote_tokens.with_response(model.tokenize(prompt), spans, own.response)
    lines, at = [], 0
    for line in prompt.splitlines(keepends=True):
        inside = [i for i in range(tokens.prompt_len) if at <= tokens.char_spans[i, 0] < at + len(line)]
        lines.append((inside[0], inside[-1] + 1))
        at += len(line)
    question = CauseRequest(
        model.spec,
        tuple(tokens.ids.tolist()),
        tokens.prompt_len,
        ((tokens.prompt_len, tokens.prompt_len + 1),),
        tuple(lines),
    )
    cause = find_cause(model, question, tokens)
    assert cause.verdict != "measuring" and len(cause.singles) == len(lines)

    def nats(of: object) -> float:
        text, border = of.text, of.prompt_chars  # type: ignore[attr-defined]
        return float(here.logprobs(here.tokenize(text[:border], text[border:]))[0])

    for one in cause.singles:
        if one.effect_nats == one.effect_nats:  # where its next token is half a character, it tells nothing
            changed = without(tokens, *lines[one.parts[0]])
            assert one.effect_nats == pytest.approx(nats(tokens) - nats(changed), abs=0.05)
    assert sum(one.effect_nats == one.effect_nats for one in cause.singles) >= 2


def test_an_answer_cut_within_a_character_is_shown_kept_and_known_alike(served: str) -> None:
    model = openai_compatible.load(ModelSpec("l", served, backend="openai_compatible"))
    halves = 0
    for prompt in ("한국의 수도", "🙂🙃🙂"):
        for size in (1, 2, 3, 5, 8):
            heard: list[str] = []
            made = model.generate(
                model.tokenize(prompt), GenerationParams(max_new_tokens=size), on_text=heard.append
            )
            halves += "\ufffd" in made.text
            assert made.text == made.tokens.response and (not made.text or heard[-1] == made.text)
            assert made.tokens.text[: made.tokens.prompt_chars] == prompt
            assert np.isfinite(made.logprob_nats).all()
            spans = made.tokens.char_spans[made.tokens.prompt_len :] - made.tokens.prompt_chars
            covered = {place for low, high in spans.tolist() for place in range(low, high)}
            assert covered == set(range(len(made.text)))
    assert halves  # random weights write bytes that are no characters
    model.close()
