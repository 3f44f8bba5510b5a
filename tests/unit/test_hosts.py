"""Names under which a site may be asked: what a browser sends, and what only an attacker sends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.hosts import HEADERS, LOOPBACK, Names, host_name, is_allowed, listed

ALLOWED = (*LOOPBACK, *listed("whence.example, *.lab.example"))


@pytest.mark.parametrize(
    "header",
    [
        "localhost", "localhost:8501", "LOCALHOST:1", "localhost.", "app.localhost:80", "127.0.0.1:8501", "127.9.9.9",
        "[::1]:8501", "[::1]", "192.168.1.20:8501", "[fe80::1%25eth0]:80", "whence.example", "Whence.Example:443",
        "a.lab.example", "a.b.lab.example:8080",
    ],
)  # fmt: skip
def test_names_that_are_meant(header: str) -> None:
    assert is_allowed(host_name(header), ALLOWED)


@pytest.mark.parametrize(
    "header",
    [
        "evil.example", "evil.example:8501", "localhost.evil.example", "127.0.0.1.evil.example", "xlocalhost",
        "lab.example.evil", "lab.example", "whence.example@evil.example", "localhost/evil", "localhost:80:80",
        "localhost:x", "", ":", "[::1", "[::1]x", "evil.example#localhost", "evil example", "0x7f.1", "localhost,evil",
    ],
)  # fmt: skip
def test_names_that_are_not(header: str) -> None:
    assert not is_allowed(host_name(header), ALLOWED)


def test_a_star_is_any_well_formed_name() -> None:
    assert is_allowed(host_name("anything.example"), ("*",)) and not is_allowed(host_name("a b"), ("*",))


@given(st.text(max_size=80))
def test_any_text_is_judged_without_a_failure(header: str) -> None:
    name = host_name(header)
    assert name is None or name == name.lower()
    is_allowed(name, ALLOWED)


async def _page(request: Request) -> PlainTextResponse:
    return PlainTextResponse("page", headers={"X-Content-Type-Options": "mine"})


async def _stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


@pytest.fixture
def client() -> TestClient:
    names = Middleware(Names, allowed=ALLOWED, headers={"X-Frame-Options": "DENY"})
    app = Starlette(routes=[Route("/", _page), WebSocketRoute("/stream", _stream)], middleware=[names])
    return TestClient(app, base_url="http://localhost:8501")


def test_every_answer_has_the_headers_once(client: TestClient) -> None:
    for answer, status in (
        (client.get("/"), 200),
        (client.get("/nowhere"), 404),
        (client.get("/", headers={"Host": "evil.example"}), 421),
    ):
        assert answer.status_code == status
        for name in (*HEADERS, "X-Frame-Options"):
            assert len(answer.headers.get_list(name)) == 1
    assert client.get("/").headers["X-Content-Type-Options"] == "mine"
    assert "WHENCE_ALLOWED_HOSTS" in client.get("/", headers={"Host": "evil.example"}).text


def test_a_websocket_under_another_name_is_not_opened(client: TestClient) -> None:
    with client.websocket_connect("/stream", headers={"Host": "localhost:8501"}) as socket:
        assert socket.receive_text() == "hello"
    rebound = {"Host": "evil.example:8501", "Origin": "http://evil.example:8501"}
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/stream", headers=rebound):
        pass
