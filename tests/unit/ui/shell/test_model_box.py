"""A model whose files are not there is told before anybody asks it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from core.records import ModelSpec
from core.settings import DEMO_MODEL
from core.ui.shell import services
from core.ui.shell.model_box import why_no_model


@pytest.fixture(params=["local", "hosted"])
def mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(services, "settings", lambda: SimpleNamespace(mode=request.param))
    return str(request.param)


def test_a_folder_that_is_not_there_is_a_sentence_and_no_visitor_sees_its_path(
    mode: str, tmp_path: Path
) -> None:
    wrong = why_no_model(ModelSpec("mine", str(tmp_path / "gone")))
    assert wrong is not None
    assert (str(tmp_path) in str(wrong)) == (mode == "local")
    assert ("The model mine is not there" in str(wrong)) == (mode == "hosted")


def test_a_folder_without_weights_is_one_too(mode: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert why_no_model(ModelSpec("mine", str(tmp_path))) is not None


@pytest.mark.parametrize(
    "spec",
    [
        ModelSpec("demo", DEMO_MODEL),
        ModelSpec("hub", "google/gemma-3-270m"),
        ModelSpec("real", "package:smollm2"),
        ModelSpec("far", "http://127.0.0.1:9", backend="lit_server"),
    ],
)
def test_what_may_well_be_there_is_not_spoken_against(mode: str, spec: ModelSpec) -> None:
    assert why_no_model(spec) is None
