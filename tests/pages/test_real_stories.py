"""The stories of real models on the first page: read without weights, and what *Run* on them says and offers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.datasets import stories
from core.models.local.real_models import REAL_MODELS, check_here, real_model
from core.records import ModelSpec
from core.service import Service
from core.ui.asking.answering import Answer
from core.ui.shell.model_list import catalog
from tests.unit.fake_model import FakeModel

SMOL = real_model("smollm2")


def _load(spec: ModelSpec, **_: Any) -> FakeModel:
    if spec.path.startswith("package:"):
        check_here(spec.path)
    return FakeModel(spec)


@pytest.fixture
def load() -> Callable[..., Any]:
    return _load


@pytest.fixture
def options() -> dict[str, Any]:
    return {"MODEL_CONFIG": "demo:data/models/demo"}


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("shell.getting", "salience_page.real_stories"):
        monkeypatch.setattr(f"core.ui.{place}.is_here", lambda model: False)
    monkeypatch.setattr("core.models.local.real_models.is_here", lambda model: False)


def words(app: AppTest) -> str:
    return " ".join(c.value.replace("\\", "") for c in (*app.caption, *app.error, *app.warning))


def buttons(app: AppTest) -> set[str]:
    return {str(b.key) for b in app.button}


def shown(app: AppTest) -> Answer:
    return list(app.session_state["answers"].values())[-1]


def story(open_app: Callable[..., AppTest], name: str, model: str) -> AppTest:
    spec = catalog().add(real_model(model).spec())
    return open_app("salience", model=spec.name, dataset=stories.DATASET, example=name)


@pytest.mark.usefixtures("absent")
class TestWithoutWeights:
    def test_the_first_paint_leads_to_the_story_on_each_real_model(
        self, open_app: Callable[..., AppTest], fake_service: Service
    ) -> None:
        app = open_app("salience")
        assert {f"story on {model.name}" for model in REAL_MODELS} <= buttons(app)
        app.button(key="story on smollm2").click().run()
        assert app.session_state["example"] == "real-mistake"
        assert SMOL.spec() in catalog().specs()
        assert not fake_service.manager.loaded

    @pytest.mark.parametrize(
        ("name", "model"), [(one.example.id, model) for one in stories.load() for model in one.models]
    )
    def test_every_story_opens_with_its_answer_however_it_is_come_to(
        self, open_app: Callable[..., AppTest], fake_service: Service, name: str, model: str
    ) -> None:
        app = story(open_app, name, model)
        told = next(one for one in stories.load() if one.example.id == name)
        answer = shown(app)
        assert answer.generation is not None and answer.generation.text.strip()
        assert answer.params == told.params and answer.sent == told.sent
        assert app.session_state["send as"] == told.send_as
        assert not fake_service.manager.loaded and not fake_service.depth

    def test_what_run_needs_is_said_and_offered(
        self, open_app: Callable[..., AppTest], fake_service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        app = story(open_app, "real-mistake", "smollm2")
        assert "is not on this machine" in words(app) and "93 MB, Apache-2.0" in words(app)
        app.session_state["orders"] = [{"order": "run", "text": "Another prompt, to be run."}]
        app.run()
        for asked in list(app.session_state["asked"].values()):  # none left: it had failed at once
            assert asked.job.wait(30)
            app.run()
        assert any("is not on this machine yet: 93 MB" in e.value.replace("\\", "") for e in app.error)
        got: list[str] = []
        monkeypatch.setattr("core.models.local.get_model.get", lambda name, **_: got.append(name))
        monkeypatch.setattr("core.models.local.real_models.is_here", lambda model: True)
        app.button(key="get smollm2 here").click().run()
        for job in list(app.session_state["job box"].values()):
            assert job.wait(30)
            app.run()
        assert not app.exception and got == ["smollm2"]
        assert [spec.path for spec in fake_service.manager.loaded] == ["package:smollm2"]

    def test_terms_come_before_the_button(self, open_app: Callable[..., AppTest]) -> None:
        app = story(open_app, "real-mistake", "gemma3")
        assert app.button(key="get gemma3 here").disabled
        app.checkbox(key="accept gemma3 here").check().run()
        assert not app.button(key="get gemma3 here").disabled

    @pytest.mark.parametrize("options", [{"MODEL_CONFIG": "demo:data/models/demo", "mode": "hosted"}])
    def test_a_hosted_site_reads_them_and_fetches_nothing(self, open_app: Callable[..., AppTest]) -> None:
        app = open_app("salience")
        app.button(key="story on gemma3").click().run()
        assert not app.exception
        assert not any(key.startswith("get ") for key in buttons(app))
        assert [spec.name for spec in catalog().specs()] == ["demo"]


def test_who_has_a_model_of_their_own_is_not_led_to_another(
    open_app: Callable[..., AppTest], options: dict[str, Any], fake_service: Service
) -> None:
    spec = catalog().add(ModelSpec("own", "fake/own"))
    assert not any(key.startswith("story on") for key in buttons(open_app("salience", model=spec.name)))
