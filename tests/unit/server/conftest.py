"""A server over the model without weights, asked in this process: no port, no network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from core.jobs import JobQueue
from core.models.manager import ModelManager
from core.server.app import create_app
from core.server.config import ServerSettings
from core.service import Service
from core.settings import Settings
from tests.unit.fake_model import FakeModel, NoStore, loader


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def make_app(model: FakeModel, tmp_path: Path) -> Callable[..., FastAPI]:
    """`make_app(token=…, batch_size=…, **limits)`."""

    def make(token: str = "", max_prompt_chars: int = 1_000, batch_size: int = 4, **limits: Any) -> FastAPI:
        settings = Settings(
            data_dir=tmp_path,
            server_token=token,
            max_prompt_chars=max_prompt_chars,
            batch_size=batch_size,
            MODEL_CONFIG="fake:fake/model",
            allowed_hosts="server, testserver",
            _env_file=None,
        )
        chosen = ServerSettings(_env_file=None, **{"drain_seconds": 0, **limits})
        jobs = JobQueue(chosen.max_queued)
        service = Service(settings, NoStore(), manager=ModelManager(loader(model)), jobs=jobs)  # type: ignore[arg-type]
        return create_app(settings, chosen, service)

    return make


@pytest.fixture
def client(make_app: Callable[..., FastAPI]) -> Iterator[TestClient]:
    with TestClient(make_app(), raise_server_exceptions=False) as client:
        yield client


def asgi_post(path: str) -> dict[str, Any]:
    """The scope of a `POST` of JSON, for tests that choose what arrives when."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"server"), (b"content-type", b"application/json")],
        "scheme": "http",
        "server": ("server", 80),
        "client": ("client", 1),
    }


@asynccontextmanager
async def talking(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A started `app` and a client in one event loop, for requests that overlap."""
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            yield client
