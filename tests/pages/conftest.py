"""A service over a model without weights, short samples, and an app that opens on a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.models.manager import ModelManager
from core.records import Example, ModelSpec
from core.service import Service
from core.settings import ROOT, Settings
from tests.unit.fake_model import FakeModel

SHORT = (
    Example("first", "one line\nabc", "cba", "made"),
    Example("second", "another line\nxyz", None, "made"),
)


def _load(spec: ModelSpec, **_: Any) -> FakeModel:
    return FakeModel(spec)


@pytest.fixture
def load() -> Callable[..., Any]:
    """How a model is loaded; a file that holds the model in hand has its own."""
    return _load


@pytest.fixture
def options() -> dict[str, Any]:
    """Settings that a file or class of tests changes."""
    return {}


@pytest.fixture
def fake_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load: Callable[..., Any], options: dict[str, Any]
) -> Iterator[Service]:
    """Reverses the last three characters of a prompt; knows the samples `first` and `second`."""
    usual: dict[str, Any] = {"MODEL_CONFIG": "fake:fake/model", "precision": "float32", "_env_file": None}
    chosen = Settings(data_dir=tmp_path / "home", **usual | options)
    made = Service(chosen, manager=ModelManager(load))
    monkeypatch.setattr("core.ui.shell.services.settings", lambda: chosen)
    monkeypatch.setattr("core.ui.dataset_page.loading.settings", lambda: chosen)
    monkeypatch.setattr("core.service.Service", lambda _settings: made)
    monkeypatch.setattr("core.datasets.samples.load", lambda: list(SHORT))
    st.cache_resource.clear()
    st.cache_data.clear()
    yield made
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture
def open_app(fake_service: Service) -> Callable[..., AppTest]:
    """`open_app("editor", dataset="…")`: the app on that page, drawn once, with this in the session."""

    def open_page(name: str, **session: Any) -> AppTest:
        page = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
        for key, value in session.items():
            page.session_state[key] = value
        page.switch_page(f"pages/{name}.py")
        page.run()
        assert not page.exception
        return page

    return open_page
