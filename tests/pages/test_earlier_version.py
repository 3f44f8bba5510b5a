"""A link that an earlier version gave out shows the same example and the same part of its answer today."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.service import Service
from core.settings import ROOT
from tests.unit.store.earlier_version import DATASET, WORK, lay_down


@pytest.fixture
def options(tmp_path: Path) -> dict[str, Any]:
    """The service finds that version's files in its data folder."""
    lay_down(tmp_path / "home")
    return {}


def test_its_links_open_what_they_named(fake_service: Service) -> None:
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
    app.switch_page("pages/salience.py")
    named = {"dataset": DATASET, "example": "soup-v2", "granularity": "Word", "method": "Grad · input"}
    for name, value in {**named, "target": "0-3"}.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception and not app.error
    assert app.selectbox(key="open soup-v2").value == "soup-v2"
    assert (app.selectbox(key="granularity").value, app.selectbox(key="method").value) == (
        "word",
        "grad_dot_input",
    )
    assert app.session_state["dataset"] == DATASET


def test_its_dataset_is_on_the_dataset_page(open_app: Callable[..., AppTest]) -> None:
    app = open_app("dataset", dataset=DATASET)
    assert app.selectbox(key=f"dataset open {DATASET}").value == DATASET
    (grid,) = [table for table in app.dataframe if (table.key or "").startswith("dataset grid")]
    assert grid.value["prompt"].tolist() == ["Eggs?", "Naïve?\n한국어", "Eggs??"]
    assert app.button(key=f"go on {WORK}").label == "Go on"
