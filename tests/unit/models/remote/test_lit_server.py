"""The LIT wire from the asking side. The server's model is a table of gradients, so every score is known."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from core.errors import AppError, Stopped
from core.models import language_model
from core.models.remote import lit_server
from core.models.remote.http import HttpLimits
from core.models.remote.secrets import SECRETS
from core.records import GenerationParams, Message, ModelSpec, SalienceRequest, Tokens
from tests.unit.models.loopback import Answer, Asked, Loopback, loopback

FAST = HttpLimits(silence_seconds=0.5, retries=0)
PROMPT, TARGET = "Salt and\npepper é", " makes soup"
STRINGS = ["<bos>", "Salt", "▁and", "\n", "pepper", "▁", "<0xC3>", "<0xA9>", "▁makes", "▁soup"]
RNG = np.random.default_rng(5)
GRADIENTS = RNG.normal(size=(10, 10, 4))  # (target, token, D)
for _t in range(10):
    GRADIENTS[_t, _t:] = 0  # causality
EMBEDDINGS = RNG.normal(size=(10, 4))


def scores(mask: list[float]) -> dict[str, Any]:
    """What a right server answers: norms and products of the loss's gradient, causal."""
    rows = [i for i, flag in enumerate(mask) if flag]
    gradient = GRADIENTS[rows].sum(0)
    return {
        "tokens": STRINGS,
        "grad_l2": np.linalg.norm(gradient, axis=1).tolist(),
        "grad_dot_input": (gradient * EMBEDDINGS).sum(1).tolist(),
    }


def right(asked: Asked) -> Answer:
    inputs = asked.body["inputs"]
    if asked.path == "/tokenize":
        return Answer([{"tokens": STRINGS if i["target"] else STRINGS[:8]} for i in inputs])
    if asked.path == "/predict":
        return Answer([{"response": TARGET} for _ in inputs])
    return Answer([scores(i["target_mask"]) for i in inputs])


def connect(server: Loopback) -> lit_server.LitServer:
    return lit_server.load(ModelSpec("lit", server.url, backend="lit_server"), limits=FAST)


def request(
    tokens: Tokens, method: str, model: lit_server.LitServer, *targets: tuple[int, int]
) -> SalienceRequest:
    return SalienceRequest(model.spec, tuple(tokens.ids.tolist()), tokens.prompt_len, method, targets)


def test_it_declares_what_it_can() -> None:
    with loopback(right) as server:
        model = connect(server)
        can = model.capabilities
        assert (can.generate, can.salience) == (True, True)
        assert not (can.logprobs or can.gradients or can.streaming or can.chat)
        assert all(can.why[name] for name in ("logprobs", "gradients", "streaming", "chat"))
        assert isinstance(model, language_model.SalienceModel)
        assert not isinstance(model, language_model.GradientModel)
        with pytest.raises(AppError, match="no log-probabilities"):
            model.logprobs(model.tokenize(PROMPT, TARGET))
    assert server.asked[0].headers["authorization"] == "Bearer"  # as LIT's own client sends it


def test_the_token_goes_as_bearer() -> None:
    with loopback(right) as server:
        SECRETS.remember(server.url, "abc")
        try:
            model = connect(server)
        finally:
            SECRETS.remember(server.url, "")
    assert server.asked[0].headers["authorization"] == "Bearer abc"
    assert "abc" not in repr(model.spec)


def test_tokens_stand_where_they_should() -> None:
    with loopback(right) as server:
        tokens = connect(server).tokenize(PROMPT, TARGET)
    assert tokens.text == PROMPT + TARGET
    assert tokens.strings == ("", "Salt", " and", "\n", "pepper", " ", "é", "é", " makes", " soup")
    assert tokens.special.tolist() == [True] + [False] * 9
    assert tokens.prompt_len == 8
    assert tokens.response == TARGET
    assert tokens.ids[1] == tokens.ids[1]
    assert len({int(i) for i in tokens.ids}) == 10


def test_generation_keeps_the_servers_tokens_and_knows_no_probability() -> None:
    with loopback(right) as server:
        model = connect(server)
        heard: list[str] = []
        made = model.generate(
            model.tokenize(PROMPT), GenerationParams(), on_text=heard.append, example_id="e1"
        )
    assert (made.text, made.example_id, heard) == (TARGET, "e1", [TARGET])
    assert made.tokens.prompt_len == 8
    assert np.isnan(made.logprob_nats).all()
    assert made.logprob_nats.shape == (2,)


def test_a_chat_is_sent_as_the_text_that_is_shown() -> None:
    with loopback(right) as server:
        connect(server).tokenize([Message("user", "Hi")])
        sent = server.asked[-1].body["inputs"][0]["prompt"]
    assert sent == "user: Hi\nassistant: "


def test_dot_input_is_negated_here_and_rows_are_single_tokens() -> None:
    with loopback(right) as server:
        model = connect(server)
        tokens = model.tokenize(PROMPT, TARGET)
        rows: list[int] = []
        found = model.salience(
            request(tokens, "grad_dot_input", model, (8, 9), (9, 10)),
            tokens,
            on_rows=lambda index, row: rows.append(index),
        )
    for n, t in enumerate((8, 9)):
        expected = -(GRADIENTS[t] * EMBEDDINGS).sum(1)
        np.testing.assert_allclose(found.values[n], expected, rtol=1e-6)
    assert (found.signed, found.gram, rows) == (True, None, [0, 1])
    assert not np.signbit(found.values[0, 8:]).any()  # a plain 0, not a negative one


def test_the_gram_matrix_comes_from_norms_of_pairs() -> None:
    with loopback(right) as server:
        model = connect(server)
        tokens = model.tokenize(PROMPT, TARGET)
        found = model.salience(request(tokens, "grad_l2", model, (5, 7), (8, 9), (9, 10)), tokens)
    gradients = np.stack([GRADIENTS[5:7].sum(0), GRADIENTS[8], GRADIENTS[9]])
    expected = np.einsum("ntd,mtd->tnm", gradients, gradients)
    assert found.gram is not None
    np.testing.assert_allclose(found.gram, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.values, np.linalg.norm(gradients, axis=2), rtol=1e-5)


def test_rows_are_asked_for_in_small_requests() -> None:
    with loopback(right) as server:
        model = connect(server)
        tokens = model.tokenize(PROMPT, TARGET)
        before = len(server.asked)
        model.salience(request(tokens, "grad_dot_input", model, *[(i, i + 1) for i in range(1, 10)]), tokens)
        sizes = [len(asked.body["inputs"]) for asked in server.asked[before:]]
        masks = [i["target_mask"] for asked in server.asked[before:] for i in asked.body["inputs"]]
    assert sizes == [8, 1]
    assert all(len(mask) == 10 and sum(mask) == 1 for mask in masks)


def spoiled(change: Any) -> Any:
    """`right`, with the reply to /salience changed."""

    def answer(asked: Asked) -> Answer:
        return change(asked) if asked.path == "/salience" else right(asked)

    return answer


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            Answer(raw=b'[{"tokens": [], "grad_l2": [NaN, 1, 1, 1, 1, 1, 1, NaN, 1, Infinity]}]'),
            "3 of the server's 10 scores are not numbers",
        ),
        (Answer([{"grad_l2": [0.0] * 10}]), "zeros only.*target_mask"),
        (Answer([{"grad_l2": [1.0] * 9}]), "expected 10 scores, one a token, got 9 scores"),
        (Answer([{"grad_l2": ["<b>"] * 10}]), "expected numbers"),
        (Answer([{"grad_l2": None}]), "expected 10 scores"),
        (Answer([{"tokens": []}]), "expected `grad_l2`"),
        (Answer([]), "expected a list of 1, got a list of 0"),
        (Answer({"error": "x"}), "broke off its answer: x"),
        (Answer({"scores": []}), "got dict"),
        (Answer(raw=b"<html><h1>Internal</h1></html>", status=500, kind="text/html"), "500 .*error page"),
        (Answer(raw=b'[{"grad_l2": [0.1, 0.'), "breaks off"),
    ],
)
def test_faults_of_the_server_are_told(answer: Answer, told: str) -> None:
    with loopback(spoiled(lambda asked: answer)) as server:
        model = connect(server)
        tokens = model.tokenize(PROMPT, TARGET)
        with pytest.raises(AppError, match=told):
            model.salience(request(tokens, "grad_l2", model, (9, 10)), tokens)


def test_an_unknown_method_and_too_many_rows() -> None:
    with loopback(right) as server:
        model = connect(server)
        tokens = model.tokenize(PROMPT, TARGET)
        with pytest.raises(AppError, match="grad_l2, grad_dot_input"):
            model.salience(request(tokens, "integrated_gradients", model, (9, 10)), tokens)
        with pytest.raises(AppError, match="at most 512"):
            model.salience(request(tokens, "grad_l2", model, *[(9, 10)] * 513), tokens)
        with pytest.raises(AppError, match="needs the text"):
            model.salience(request(tokens, "grad_l2", model, (9, 10)))


def test_stop_between_rows() -> None:
    stop = threading.Event()
    with loopback(right) as server:
        model = connect(server)
        tokens = model.tokenize(PROMPT, TARGET)
        targets = [(i, i + 1) for i in range(1, 10)]
        with pytest.raises(Stopped):
            model.salience(
                request(tokens, "grad_dot_input", model, *targets),
                tokens,
                on_rows=lambda index, row: stop.set(),
                stop=stop,
            )
        assert sum(asked.path == "/salience" for asked in server.asked) == 1


def test_loading_a_server_that_is_no_lit_server() -> None:
    with (
        loopback(lambda asked: Answer({"ok": True})) as server,
        pytest.raises(AppError, match="not LIT's: expected a list of 1, got dict"),
    ):
        connect(server)
