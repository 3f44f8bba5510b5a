"""The OpenAI wire from the asking side, against a scripted server with a known bigram model."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.errors import AppError
from core.models.remote import openai_compatible
from core.models.remote.http import HttpLimits
from core.records import GenerationParams, Message, ModelSpec
from tests.unit.models.loopback import Answer, Asked, Loopback, loopback

FAST = HttpLimits(silence_seconds=0.5, retries=0, backoff_seconds=0.01)
ANSWER = [" it", " has", " é", "gg"]


def cut(text: str) -> list[str]:
    """The server's tokenizer: three characters each."""
    return [text[i : i + 3] for i in range(0, len(text), 3)]


def nats(strings: list[str]) -> list[float | None]:
    """log p of a token: minus its place, so that every sum can be told from every other."""
    return [None, *[-(2.0**-i) for i in range(1, len(strings))]]


def sse(*events: Any, done: bool = True) -> list[str]:
    lines = [f"data: {json.dumps(event)}\n\n" for event in events]
    return [*lines, "data: [DONE]\n\n"] if done else lines


def full(asked: Asked) -> Answer:
    """A server that offers everything."""
    body = asked.body
    if asked.path == "/v1/models":
        return Answer({"data": [{"id": "the-only-one"}]})
    if asked.path == "/v1/chat/completions":
        told = {"content": [{"token": t, "logprob": -0.5, "bytes": None} for t in ANSWER]}
        if not body.get("stream"):
            return Answer({"choices": [{"message": {"content": "x"}, "logprobs": told}]})
        return Answer(
            stream=sse(
                {"choices": [{"delta": {"role": "assistant"}}]},
                *[
                    {"choices": [{"delta": {"content": t}, "logprobs": {"content": [item]}}]}
                    for t, item in zip(ANSWER, told["content"])
                ],
                {"choices": [{"delta": {}, "finish_reason": "stop"}]},
                {"choices": [], "usage": {}},
            )
        )
    if body.get("echo"):
        strings = cut(body["prompt"]) + ["!"] * body["max_tokens"]
        told = {"tokens": strings, "token_logprobs": nats(strings), "text_offset": []}
        return Answer({"choices": [{"text": body["prompt"], "logprobs": told}]})
    if not body.get("stream"):
        return Answer({"choices": [{"text": "x", "logprobs": {"tokens": ["x"], "token_logprobs": [-1.0]}}]})
    return Answer(
        stream=sse(
            *[
                {"choices": [{"text": t, "logprobs": {"tokens": [t], "token_logprobs": [-0.25]}}]}
                for t in ANSWER
            ],
            {"choices": [{"text": "", "finish_reason": "length"}]},
        )
    )


def plain(asked: Asked) -> Answer:
    """A server that answers, and ignores every question about probabilities."""
    answer = full(asked)
    if answer.stream is not None:
        return Answer(stream=[line.replace('"logprobs"', '"ignored"') for line in answer.stream])
    return Answer(json.loads(json.dumps(answer.body).replace('"logprobs"', '"ignored"')))


def without(server: Callable[[Asked], Answer], *paths: str) -> Callable[[Asked], Answer]:
    return lambda asked: Answer({"detail": "Not Found"}, status=404) if asked.path in paths else server(asked)


def connect(server: Loopback, model: str = "") -> openai_compatible.OpenAICompatible:
    path = f"{server.url}/v1" + (f"#{model}" if model else "")
    return openai_compatible.load(ModelSpec("remote", path, backend="openai_compatible"), limits=FAST)


def test_what_a_full_server_offers_is_found_out() -> None:
    with loopback(full) as server:
        model = connect(server)
    can = model.capabilities
    assert can.generate and can.logprobs and can.chat and can.streaming
    assert not can.gradients and not can.salience
    assert all(a.body["model"] == "the-only-one" for a in server.asked if a.body)
    assert all(a.body["max_tokens"] <= 8 for a in server.asked if a.body)


def test_what_a_plain_server_lacks_is_said() -> None:
    with loopback(without(plain, "/v1/chat/completions", "/v1/models")) as server:
        model = connect(server)
        can = model.capabilities
        assert can.generate and not can.logprobs and not can.chat
        assert "echo" in can.why["logprobs"]
        assert "no chat" in can.why["chat"]
        with pytest.raises(AppError, match="echo"):
            model.logprobs(model.tokenize("a b", " c"))


def test_a_server_that_refuses_unknown_fields_is_asked_more_simply() -> None:
    def strict(asked: Asked) -> Answer:
        if asked.body and "logprobs" in asked.body:
            return Answer({"detail": "Unexpected fields in the request: {'logprobs'}"}, status=422)
        return plain(asked)

    with loopback(strict) as server:
        model = connect(server)
        assert (model.capabilities.generate, model.capabilities.logprobs) == (True, False)
        made = model.generate(model.tokenize("Soup:"), GenerationParams())
    assert made.text == "".join(ANSWER)


def test_a_server_with_neither_is_refused_with_its_own_words() -> None:
    with (
        loopback(without(full, "/v1/chat/completions", "/v1/completions")) as server,
        pytest.raises(AppError, match=r"404 .*Not Found"),
    ):
        connect(server)


def test_plain_text_streams_through_completions() -> None:
    with loopback(full) as server:
        model = connect(server, "org/one")
        heard: list[str] = []
        made = model.generate(
            model.tokenize("Soup:"),
            GenerationParams(max_new_tokens=7, temperature=0.5, top_p=0.9, seed=3, stop=("\n",)),
            on_text=heard.append,
            example_id="e",
        )
        sent = server.asked[-1].body
    assert sent == {
        "model": "org/one", "prompt": "Soup:", "max_tokens": 7, "temperature": 0.5, "top_p": 0.9, "seed": 3,
        "stop": ["\n"], "stream": True, "logprobs": 1,
    }  # fmt: skip
    assert heard == [" it", " it has", " it has é", " it has égg"]
    assert made.text == made.tokens.response == " it has égg"
    assert made.tokens.strings[made.tokens.prompt_len :] == tuple(ANSWER)
    np.testing.assert_array_equal(made.logprob_nats, np.full(4, -0.25, np.float32))
    assert (made.stop_reason, made.example_id) == ("length", "e")


def test_a_chat_goes_as_messages() -> None:
    messages = (Message("system", "Be brief."), Message("user", "Soup?"))
    with loopback(full) as server:
        model = connect(server)
        made = model.generate(model.tokenize(messages), GenerationParams())
        sent = server.asked[-1]
    assert sent.path == "/v1/chat/completions"
    assert sent.body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Soup?"},
    ]
    assert (made.text, made.stop_reason) == (" it has égg", "eos")
    np.testing.assert_array_equal(made.logprob_nats, np.full(4, -0.5, np.float32))


def test_plain_text_for_a_server_that_only_chats() -> None:
    with loopback(without(full, "/v1/completions")) as server:
        model = connect(server)
        model.generate(model.tokenize("Soup:"), GenerationParams())
        sent = server.asked[-1].body
    assert sent["messages"] == [{"role": "user", "content": "Soup:"}]


def test_no_probabilities_are_unknown_not_zero() -> None:
    with loopback(plain) as server:
        model = connect(server)
        made = model.generate(model.tokenize("Soup:"), GenerationParams())
    assert np.isnan(made.logprob_nats).all()
    assert made.tokens.response == " it has égg"


def test_a_typed_answer_is_scored_through_echo() -> None:
    """The server's tokens: `Sou` `p: ` `it ` `has`; the answer starts at character 5, inside the second."""
    with loopback(full) as server:
        model = connect(server)
        tokens = model.tokenize("Soup:", " it has")
        found = model.logprobs(tokens)
    assert tokens.strings == ("Sou", "p:", " it", " ha", "s")
    assert tokens.prompt_len == 2
    # Of `Sou|p: |it |has`, log p is -1/2, -1/4, -1/8 from the second on; each is counted where it starts.
    np.testing.assert_array_equal(found, np.array([-0.5 - 0.25, -0.125, 0], np.float32))


def test_echo_with_one_more_token_than_asked_for() -> None:
    def needs_one(asked: Asked) -> Answer:
        if asked.body and asked.body.get("echo") and asked.body["max_tokens"] == 0:
            return Answer({"error": {"message": "max_tokens must be at least 1"}}, status=400)
        return full(asked)

    with loopback(needs_one) as server:
        model = connect(server)
        assert model.capabilities.logprobs
        assert model.tokenize("Soup:").strings == ("Sou", "p:")


def test_a_chat_cannot_be_scored() -> None:
    with loopback(full) as server:
        model = connect(server)
        with pytest.raises(AppError, match="likeliest words of a chat"):
            model.logprobs(model.tokenize([Message("user", "Hi")], "yes"))


def streaming(answer: Answer) -> Callable[[Asked], Answer]:
    return lambda asked: answer if asked.body and asked.body.get("stream") else full(asked)


PIECE = {"choices": [{"text": " it"}]}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(stream=sse(PIECE, done=False)), "without saying that it is complete, after 3"),
        (Answer(stream=sse(PIECE, done=False), breaks=True), "closed the connection before"),
        (Answer(stream=sse(PIECE, done=False), hangs=True), "did not answer within"),
        (Answer(stream=[*sse(PIECE, done=False), 'data: {"choices": [{"te\n\n']), "breaks off in the middle"),
        (Answer(stream=sse(PIECE, {"error": {"message": "CUDA out of memory"}})), "CUDA out of memory"),
        (Answer(stream=sse({"object": "list"})), "expected `choices`"),
        (Answer({"error": {"message": "boom"}}, status=500), r"500 \(Internal Server Error\): boom"),
        (Answer({"error": "loading"}, status=503), "503"),
    ],
)
def test_faults_in_the_middle_of_an_answer(answer: Answer, told: str) -> None:
    with loopback(streaming(answer)) as server:
        model = connect(server)
        with pytest.raises(AppError, match=told):
            model.generate(model.tokenize("Soup:"), GenerationParams())


def test_stop_keeps_what_was_written() -> None:
    stop = threading.Event()
    with loopback(streaming(Answer(stream=sse(PIECE, done=False), hangs=True))) as server:
        model = connect(server)
        made = model.generate(
            model.tokenize("Soup:"), GenerationParams(), on_text=lambda text: stop.set(), stop=stop
        )
    assert (made.text, made.stop_reason) == (" it", "stopped")


def test_a_batch_keeps_its_order() -> None:
    def answer(asked: Asked) -> Answer:
        if asked.body and asked.body.get("stream"):
            return Answer(stream=sse({"choices": [{"text": asked.body["prompt"], "finish_reason": "stop"}]}))
        return full(asked)

    with loopback(answer) as server:
        model = connect(server)
        prompts = [f"{i}" * 4 for i in range(6)]
        made = model.generate_batch([model.tokenize(p) for p in prompts], GenerationParams())
    assert [g.text for g in made] == prompts


def test_an_empty_prompt() -> None:
    with loopback(full) as server, pytest.raises(AppError, match="empty"):
        connect(server).tokenize(" ")


def test_leave_one_out_needs_only_log_probabilities() -> None:
    """The server finds each of its tokens less likely by 1/100 nat a character of the whole text."""
    from core import salience

    def longer_is_worse(asked: Asked) -> Answer:
        if asked.body and asked.body.get("echo"):
            text = asked.body["prompt"]
            strings = text.split("|")
            strings = [s + "|" for s in strings[:-1]] + strings[-1:]
            told = {"tokens": strings, "token_logprobs": [None] + [-len(text) / 100] * (len(strings) - 1)}
            return Answer({"choices": [{"text": text, "logprobs": told}]})
        return full(asked)

    with loopback(longer_is_worse) as server:
        model = connect(server)
        tokens = model.tokenize("ab|cdefg|", "hi|j")
        assert tokens.strings == ("ab|", "cdefg|", "hi|", "j")
        request = salience.request_for(model, tokens, "leave_one_out")
        found = salience.method("leave_one_out").run(model, request, tokens=tokens)
        with pytest.raises(AppError, match=r"Grad L2 cannot explain remote: .*no gradients"):
            salience.method("grad_l2").run(
                model, salience.request_for(model, tokens, "grad_l2"), tokens=tokens
            )
    # Without "ab|" (3 characters) each answer token gains 0.03, without "cdefg|" 0.06: both oppose.
    np.testing.assert_allclose(found.values, [[-0.03, -0.06, 0, 0]] * 2, atol=1e-6)
