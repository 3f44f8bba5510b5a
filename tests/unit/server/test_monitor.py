"""What operators see."""

from __future__ import annotations

import ast
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from core.errors import AppError
from core.server.config import VERSION
from core.server.errors import STATUS, response
from core.settings import ROOT
from core.store import Store, faults
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
    assert info["settings"]["BATCH_SIZE"] == "4 texts of a dataset at once, as set (default: 16)"
    assert "the default" in info["settings"]["SEQUENCE_LENGTH"]
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


def codes_in_the_source() -> set[str]:
    """Every `code="…"` that is written anywhere in `core`."""
    found: set[str] = {"invalid", "stopped"}
    for path in (ROOT / "core").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for word in getattr(node, "keywords", []) if isinstance(node, ast.Call) else []:
                if word.arg == "code" and isinstance(word.value, ast.Constant):
                    found.add(str(word.value.value))
    return found


def test_every_code_has_a_status_of_its_own_and_an_unknown_one_is_the_servers_fault() -> None:
    elsewhere = {"invalid_json"}  # answered with its status where it is found
    assert codes_in_the_source() - set(STATUS) - elsewhere == set()
    assert response(AppError("?", code="never heard of")).status_code == 500
    for code in faults.CODES:
        assert STATUS[code] == 503


def with_store(make_app: Callable[..., FastAPI], store: Callable[[], Store]) -> FastAPI:
    app = make_app()
    service = app.state.whence.service
    service._store = None
    service.settings = service.settings.model_copy(update={"mode": "local"})
    service.__class__ = type("Here", (type(service),), {"store": property(lambda _: store())})
    return app


def test_a_database_that_cannot_be_reached_is_the_servers_fault_and_it_is_not_ready(
    make_app: Callable[..., FastAPI], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    app = with_store(make_app, lambda: Store("", tmp_path / "file"))
    with TestClient(app, raise_server_exceptions=False) as client:
        loaded(client)
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "failed")
        assert "is a file" in ready.json()["message"]
        assert client.get("/healthz").status_code == 200
        answer = client.post("/predict", json={"inputs": [{"prompt": "abc"}]})
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "storage")
        assert int(answer.headers["retry-after"]) >= 1


def test_a_full_disk_is_not_ready_and_still_answers(
    make_app: Callable[..., FastAPI], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store("", tmp_path / "data", bundle=tmp_path / "bundle", least_free_bytes=2**62)
    app = with_store(make_app, lambda: store)

    def full(*_: object, **__: object) -> None:
        raise AppError("The disk is full.", code="disk_full")

    monkeypatch.setattr(store, "save_generation", full)
    monkeypatch.setattr(store, "save_generations", full)
    with TestClient(app, raise_server_exceptions=False) as client:
        loaded(client)
        assert client.get("/readyz").status_code == 503
        assert "nearly full" in client.get("/readyz").json()["message"]
        answer = client.post("/predict", json={"inputs": [{"prompt": "abc"}]})
        assert (answer.status_code, answer.json()) == (200, [{"response": "cba"}])
    store.close()


def test_a_model_that_does_not_load_is_never_the_callers_fault(make_app: Callable[..., FastAPI]) -> None:
    app = make_app()
    manager = app.state.whence.service.manager
    load = manager._loader

    def broken(spec: object, **_: object) -> object:
        raise AppError("The weights lack two layers.")

    manager._loader = broken
    with TestClient(app) as client:
        loaded(client)
        for path in ("/predict", "/salience", "/tokenize"):
            answer = client.post(path, json={"inputs": [{"prompt": "abc", "target": "d"}]})
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model"), path
        manager._loader = load
        app.state.whence._tried = -1e9
        assert client.get("/readyz").status_code == 503  # and tries again
        loaded(client)
        assert client.get("/readyz").status_code == 200
