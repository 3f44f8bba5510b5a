"""What operators see."""

from __future__ import annotations

import threading
from collections.abc import Callable

from fastapi import FastAPI
from fastapi.testclient import TestClient

from core.errors import AppError
from core.server.config import VERSION
from core.settings import ROOT
from tests.unit.fake_model import FakeModel

LONG = 20.0


def loaded(client: TestClient) -> None:
    assert client.app.state.whence.loading.wait(LONG)  # type: ignore[attr-defined]


def test_ready_once_the_model_is_loaded(client: TestClient) -> None:
    loaded(client)
    assert client.get("/readyz").json() == {"status": "ready", "message": ""}
    assert client.get("/healthz").json() == {"status": "ok"}


def test_not_ready_while_it_loads(make_app: Callable[..., FastAPI]) -> None:
    app = make_app()
    go = threading.Event()
    manager = app.state.whence.service.manager
    load = manager._loader

    def slow(spec: object, **more: object) -> object:
        assert go.wait(LONG)
        return load(spec, **more)

    manager._loader = slow
    with TestClient(app) as client:
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (503, "loading")
        go.set()


def test_a_model_that_does_not_load_is_told(make_app: Callable[..., FastAPI]) -> None:
    app = make_app()

    def broken(spec: object, **_: object) -> object:
        raise AppError("There is no folder fake/model.")

    app.state.whence.service.manager._loader = broken
    with TestClient(app) as client:
        loaded(client)
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (503, "failed")
        assert "no folder fake/model" in answer.json()["message"]


def test_info_tells_the_model_and_the_limits(client: TestClient) -> None:
    loaded(client)
    info = client.get("/info").json()
    assert info["version"] == VERSION
    assert info["model"]["name"] == "fake"
    assert (info["loaded"], info["parameters"], info["context_tokens"]) == (True, 1_000, 200)
    assert {"grad_l2", "grad_dot_input"} <= set(info["methods"])
    assert info["limits"]["text_characters"] == 1_000


def test_the_version_is_the_projects() -> None:
    assert f'version = "{VERSION}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_metrics_count_by_endpoint_and_unknown_paths_share_a_name(
    client: TestClient, model: FakeModel
) -> None:
    client.post("/predict", json={"inputs": [{"prompt": "abc"}]})
    client.post("http://testserver//predict/", json={"inputs": []})
    client.post("/predict", json={})
    for number in range(3):
        client.get(f"/wp-admin/{number}")
    text = client.get("/metrics").text
    assert 'whence_requests_total{endpoint="/predict",status="200"} 2.0' in text
    assert 'whence_requests_total{endpoint="/predict",status="422"} 1.0' in text
    assert 'whence_requests_total{endpoint="other",status="404"} 3.0' in text
    assert "wp-admin" not in text
    assert "whence_written_tokens_total 3.0" in text
    assert "whence_jobs 0.0" in text


def test_faults_of_the_framework_have_the_same_form(client: TestClient) -> None:
    missing = client.get("/nowhere")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")
    wrong = client.get("/predict")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    assert wrong.json()["error"]["message"]
