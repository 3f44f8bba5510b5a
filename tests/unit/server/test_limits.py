"""What the server does not take on, and clients that leave: driven by events, in one event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.unit.fake_model import FakeModel
from tests.unit.server.conftest import asgi_post, talking

LONG = 20.0
PROMPT = {"inputs": [{"prompt": "abc"}]}


class Hold:
    """Keeps the model in the middle of an answer until it is let go."""

    def __init__(self, model: FakeModel) -> None:
        self.reached, self.go = threading.Event(), threading.Event()
        model.step = self

    def __call__(self, what: str) -> None:
        self.reached.set()
        assert self.go.wait(LONG)

    async def busy(self) -> None:
        assert await asyncio.to_thread(self.reached.wait, LONG)


def test_the_token_is_asked_for_everywhere_but_where_nothing_is_told(
    make_app: Callable[..., FastAPI],
) -> None:
    with TestClient(make_app(token="open sesame")) as client:
        for path in ("/healthz", "/docs", "/openapi.json"):
            assert client.get(path).status_code == 200
        refused = client.post("/predict", json=PROMPT)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert refused.json()["error"]["code"] == "unauthorized"
        for wrong in ("Bearer ", "Bearer open sesam", "Basic open sesame", "open sesame", "Bearer é"):
            headers = {"Authorization": wrong.encode()}
            assert client.post("http://testserver//predict", json=PROMPT, headers=headers).status_code == 401
            assert client.get("/info", headers=headers).status_code == 401
        right = {"Authorization": "Bearer open sesame"}
        assert client.post("/predict", json=PROMPT, headers=right).status_code == 200
        assert client.get("/metrics", headers=right).status_code == 200


def test_without_a_token_lits_empty_one_is_harmless(client: TestClient) -> None:
    answer = client.post("/predict", json=PROMPT, headers={"Authorization": "Bearer "})
    assert answer.status_code == 200


def test_a_large_body_is_a_413_in_json(make_app: Callable[..., FastAPI]) -> None:
    def chunks() -> Any:
        yield b'{"inputs": ['
        for _ in range(100):
            yield b" " * 100
        yield b"]}"

    with TestClient(make_app(max_body_bytes=1_000)) as client:
        for body in (b" " * 1_001, chunks()):
            answer = client.post("/predict", content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code == 413
            assert answer.json()["error"]["code"] == "too_large"


def test_a_full_queue_is_a_429_with_retry_after(make_app: Callable[..., FastAPI], model: FakeModel) -> None:
    hold = Hold(model)

    async def play() -> None:
        async with talking(make_app(max_queued=1)) as client:
            first = asyncio.create_task(client.post("/predict", json=PROMPT))
            await hold.busy()
            app_state = client._transport.app.state.whence  # type: ignore[attr-defined]
            second = asyncio.create_task(client.post("/predict", json={"inputs": [{"prompt": "xyz"}]}))
            while app_state.service.depth < 2:
                await asyncio.sleep(0)
            third = await client.post("/predict", json={"inputs": [{"prompt": "uvw"}]})
            assert (third.status_code, third.headers["retry-after"]) == (429, "5")
            assert third.json()["error"]["code"] == "busy"
            health = await client.get("/healthz")
            assert health.status_code == 200
            hold.go.set()
            assert [(await one).status_code for one in (first, second)] == [200, 200]

    asyncio.run(play())


def test_too_slow_is_a_503_and_stops_the_work(make_app: Callable[..., FastAPI], model: FakeModel) -> None:
    hold = Hold(model)

    async def play() -> None:
        async with talking(make_app(request_seconds=0.05)) as client:
            state = client._transport.app.state.whence  # type: ignore[attr-defined]
            await asyncio.to_thread(state.loading.wait, LONG)
            answer = await client.post("/v1/generate", json={"prompt": "abc"})
            # The first word may have been sent before the time was over: then the fault is an event.
            assert answer.status_code in (200, 503)
            assert "longer than the 0 seconds" in answer.text
            await hold.busy()
            hold.go.set()
            await asyncio.to_thread(state.service.jobs.close, LONG)
            assert model.calls.count("generate") == 1
            assert state.service.answers.known("abc", state.spec) is None

    asyncio.run(play())


@pytest.mark.parametrize("path", ["/predict", "/v1/generate"])
def test_a_client_that_leaves_cancels_its_job(
    make_app: Callable[..., FastAPI], model: FakeModel, path: str
) -> None:
    """Played on the bare ASGI interface, where the moment of leaving can be chosen."""
    hold = Hold(model)
    app = make_app()
    sent: list[dict] = []

    async def play() -> None:
        leave = asyncio.Event()
        body = b'{"inputs": [{"prompt": "abc"}]}' if path == "/predict" else b'{"prompt": "abc"}'
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict:
            if messages:
                return messages.pop()
            await leave.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict) -> None:
            sent.append(message)

        async with app.router.lifespan_context(app):
            request = asyncio.create_task(app(asgi_post(path), receive, send))
            await hold.busy()
            state = app.state.whence
            (work,) = list(state.service.jobs._by_key.values())
            assert not work.stop.is_set()
            leave.set()
            await request
            assert work.stop.is_set()
            hold.go.set()

    asyncio.run(play())
    assert not any(message.get("body", b"").endswith(b"]") for message in sent)


def test_shutdown_answers_everybody(make_app: Callable[..., FastAPI], model: FakeModel) -> None:
    hold = Hold(model)

    async def play() -> None:
        async with talking(make_app()) as client:
            state = client._transport.app.state.whence  # type: ignore[attr-defined]
            running = asyncio.create_task(client.post("/predict", json=PROMPT))
            await hold.busy()
            waiting = asyncio.create_task(client.post("/predict", json={"inputs": [{"prompt": "xyz"}]}))
            while state.service.depth < 2:
                await asyncio.sleep(0)
            closing = asyncio.create_task(asyncio.to_thread(state.close))
            second = await waiting
            assert second.status_code == 503
            assert second.json()["error"]["code"] == "closed"
            hold.go.set()
            assert (await running).status_code == 503
            await closing
            late = await client.post("/predict", json=PROMPT)
            assert (late.status_code, late.json()["error"]["code"]) == (503, "closed")
            assert (await client.get("/readyz")).json()["status"] == "stopping"
            assert (await client.get("/healthz")).status_code == 200

    asyncio.run(play())


def test_shutdown_lets_work_end_within_the_grace(make_app: Callable[..., FastAPI], model: FakeModel) -> None:
    hold = Hold(model)

    async def play() -> None:
        async with talking(make_app(drain_seconds=LONG)) as client:
            state = client._transport.app.state.whence  # type: ignore[attr-defined]
            running = asyncio.create_task(client.post("/predict", json=PROMPT))
            await hold.busy()
            closing = asyncio.create_task(asyncio.to_thread(state.close))
            hold.go.set()
            assert (await running).json() == [{"response": "cba"}]
            await closing

    asyncio.run(play())


def test_another_sites_name_is_refused_unless_a_token_guards_the_server(
    make_app: Callable[..., FastAPI],
) -> None:
    rebound = {"Host": "evil.example"}
    with TestClient(make_app(), base_url="http://localhost") as client:
        assert client.get("/healthz").status_code == 200
        refused = client.post("/predict", json={"inputs": []}, headers=rebound)
        assert (refused.status_code, refused.json()["error"]["code"]) == (421, "wrong_host")
        for answer in (refused, client.get("/healthz"), client.get("/docs")):
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    with TestClient(make_app(token="secret"), base_url="http://localhost") as client:
        assert client.get("/healthz", headers=rebound).status_code == 200
        assert client.post("/predict", json={"inputs": []}, headers=rebound).status_code == 401
