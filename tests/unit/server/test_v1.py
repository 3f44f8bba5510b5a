"""Whence's own endpoints: the matrix with its meaning stated, and answers as events."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from core.errors import AppError
from core.records import Tokens
from tests.unit.fake_model import FakeModel
from tests.unit.server.conftest import asgi_post


def events(text: str) -> list[tuple[str, Any]]:
    """`(event, data)` of a stream, as the standard reads it."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def test_the_matrix_states_method_sign_and_units(client: TestClient) -> None:
    body = {"prompt": "abc", "target": "xy", "method": "grad_dot_input"}
    answer = client.post("/v1/salience", json=body).json()
    assert answer["values"] == [[3, 2, 1, 0, 0], [4, 3, 2, 1, 0]]
    assert answer["targets"] == [[3, 4], [4, 5]]
    assert answer["tokens"] == list("abcxy")
    assert answer["prompt_tokens"] == 3
    assert answer["template"] == [False] * 5
    assert (answer["method"], answer["units"], answer["signed"]) == ("grad_dot_input", "nats", True)
    assert "positive supports" in answer["sign"]
    assert answer["model"] == {"name": "fake", "revision": "", "precision": "float32", "device": "cpu"}


def test_an_unknown_method_lists_the_known_ones(client: TestClient) -> None:
    answer = client.post("/v1/salience", json={"prompt": "a", "target": "b", "method": "tea leaves"})
    assert answer.status_code == 422
    assert "grad_l2" in answer.json()["error"]["hint"]


def test_an_answer_streams_and_its_end_is_the_whole(client: TestClient) -> None:
    answer = client.post("/v1/generate", json={"prompt": "abc"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = events(answer.text)
    assert [name for name, _ in found] == ["text"] * (len(found) - 1) + ["done"]
    assert "".join(data["text"] for name, data in found if name == "text") == "cba"
    done = found[-1][1]
    assert (done["text"], done["stop_reason"], done["prompt_tokens"]) == ("cba", "eos", 3)
    assert done["logprob_nats"] == [-0.5] * 3


def test_a_chat_and_all_parameters_are_taken(client: TestClient) -> None:
    body = {
        "prompt": [{"role": "system", "content": "x"}, {"role": "user", "content": "yz"}],
        "max_new_tokens": 2,
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 7,
        "stop": ["\n\n"],
    }
    assert events(client.post("/v1/generate", json=body).text)[-1][1]["text"] == "zy"


@pytest.mark.parametrize(
    "change",
    [{"max_new_tokens": 0}, {"temperature": -1}, {"top_p": 0}, {"prompt": []}, {"stop": [""]}, {"seed": -1}],
)
def test_wrong_parameters_are_422_before_anything_streams(client: TestClient, change: dict) -> None:
    answer = client.post("/v1/generate", json={"prompt": "abc"} | change)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"]


def test_a_fault_after_the_first_word_is_an_event(make_app: Callable[..., FastAPI], model: FakeModel) -> None:
    """Played on the bare ASGI interface: the model fails only once its first word has been sent."""
    sent_one, sent = threading.Event(), []

    def step(text: str) -> None:
        if text == "cb":
            assert sent_one.wait(20)
            raise AppError("The memory ran out.", hint="Ask for less.", code="memory")

    model.step = step
    app = make_app()

    async def play() -> None:
        leave = asyncio.Event()
        messages = [{"type": "http.request", "body": b'{"prompt": "abc"}', "more_body": False}]

        async def receive() -> dict:
            if messages:
                return messages.pop()
            await leave.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict) -> None:
            sent.append(message)
            if message.get("body"):
                sent_one.set()

        async with app.router.lifespan_context(app):
            await app(asgi_post("/v1/generate"), receive, send)

    asyncio.run(play())
    assert sent[0]["status"] == 200
    found = events(b"".join(message.get("body", b"") for message in sent).decode())
    *words, (name, fault) = found
    assert words
    assert {event for event, _ in words} == {"text"}
    assert "cb".startswith("".join(data["text"] for _, data in words))
    told = {"code": "memory", "message": "The memory ran out.", "hint": "Ask for less."}
    assert (name, fault) == ("error", {"error": told})


def test_a_fault_before_the_first_word_is_a_status(client: TestClient, model: FakeModel) -> None:
    def generate(*_: object, **__: object) -> None:
        raise AppError("The memory ran out.", code="memory")

    model.generate = generate  # type: ignore[method-assign, assignment]
    answer = client.post("/v1/generate", json={"prompt": "abc"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_the_operators_default_bounds_the_answer(make_app: Callable[..., FastAPI]) -> None:
    with TestClient(make_app(max_new_tokens=1)) as client:
        assert events(client.post("/v1/generate", json={"prompt": "abc"}).text)[-1][1]["text"] == "c"
        longer = client.post("/v1/generate", json={"prompt": "abc", "max_new_tokens": 2})
        assert events(longer.text)[-1][1]["text"] == "cb"


def test_turns_that_a_template_leaves_out_are_told(client: TestClient, model: FakeModel) -> None:
    whole = model.tokenize

    def deaf(prompt: Any, response: str | None = None) -> Any:
        return whole([turn for turn in prompt if turn.role != "system"], response)

    model.tokenize = deaf  # type: ignore[method-assign]
    prompt = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "yz"}]
    (done,) = [
        d for name, d in events(client.post("/v1/generate", json={"prompt": prompt}).text) if name == "done"
    ]
    (told,) = done["turns_not_read"]
    assert "leaves out or rewrites the system message" in told


def test_control_tokens_are_sent_as_text_where_asked(
    client: TestClient, model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"prompt": "abc", "as_text": True}
    for path, body in (
        ("/v1/generate", asked),
        ("/v1/salience", {**asked, "target": "cba", "method": "leave_one_out"}),
    ):
        refused = client.post(path, json=body)
        assert refused.status_code == 422 and "take them as text" in refused.text
    seen = []

    def as_text(prompt: Any, response: str | None = None) -> Tokens:
        seen.append(prompt)
        return model.tokenize(prompt, response)

    monkeypatch.setattr(model, "tokenize_as_text", as_text, raising=False)
    assert client.post("/v1/generate", json=asked).status_code == 200
    assert client.post("/v1/generate", json={"prompt": "abc"}).status_code == 200
    assert seen == ["abc"]
