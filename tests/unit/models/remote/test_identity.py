"""Identity tokens, from a metadata service on the loopback address and a clock that the test moves."""

from __future__ import annotations

import base64
import json

import httpx
import pytest
from pydantic import SecretStr

from core.errors import AppError
from core.models.remote.http import Remote
from core.models.remote.identity import GOOGLE, GoogleIdentity


def web_token(name: str, **claims: float) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims | {"name": name}).encode()).decode().rstrip("=")
    return f"head.{body}.sign"


class Cloud:
    """Answers for the metadata service and for the model server, and notes what it was asked."""

    def __init__(self, *tokens: str, status: int = 200) -> None:
        self.tokens, self.status = list(tokens), status
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.url.host == "metadata.test":
            return httpx.Response(self.status, text=self.tokens.pop(0) if self.tokens else "")
        return httpx.Response(200, json=request.headers["authorization"])

    def client(self, clock: list[float]) -> httpx.Client:
        auth = GoogleIdentity(
            "https://server.test/base", source="http://metadata.test/identity", clock=lambda: clock[0]
        )
        return httpx.Client(transport=httpx.MockTransport(self), auth=auth)


def test_a_token_is_fetched_for_the_address_and_used_until_shortly_before_its_end() -> None:
    first, second = web_token("first", exp=5_000), web_token("second", exp=9_000)
    cloud, clock = Cloud(first, second), [1_000.0]
    with cloud.client(clock) as client:
        for now, expected in ((1_000, first), (4_939, first), (4_941, second), (6_000, second)):
            clock[0] = now
            assert client.post("https://server.test/base/predict").json() == f"Bearer {expected}"
    fetched = [request for request in cloud.asked if request.url.host == "metadata.test"]
    assert len(fetched) == 2
    assert fetched[0].url.params["audience"] == "https://server.test"
    assert fetched[0].headers["metadata-flavor"] == "Google"
    assert "authorization" not in fetched[0].headers


def test_a_token_without_an_end_is_used_for_five_minutes() -> None:
    cloud, clock = Cloud(web_token("a"), "head.%%.sign"), [0.0]
    with cloud.client(clock) as client:
        for now, fetched in ((0, 1), (239, 1), (241, 2)):
            clock[0] = now
            client.get("https://server.test/")
            assert sum(request.url.host == "metadata.test" for request in cloud.asked) == fetched


@pytest.mark.parametrize(("status", "text"), [(404, "no"), (200, "<html>")])
def test_no_token_is_told_and_nothing_is_sent(status: int, text: str) -> None:
    cloud = Cloud(text, status=status)
    with cloud.client([0.0]) as client, pytest.raises(AppError, match=f"status {status}"):
        client.get("https://server.test/")
    assert all(request.url.host == "metadata.test" for request in cloud.asked)


def test_a_remote_model_uses_it_where_its_token_says_so() -> None:
    remote = Remote("https://server.test", SecretStr(GOOGLE))
    assert isinstance(remote._client.auth, GoogleIdentity)
    assert "authorization" not in remote._client.headers
    remote.close()
