"""Compare prompts over a model without weights: versions, answers under each prompt, variables."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.records import Example
from core.service import Service
from core.ui.compare_page.run import SideBySide


@pytest.fixture
def app(open_app: Callable[[str], AppTest]) -> AppTest:
    return open_app("compare_prompts")


def press(app: AppTest, label: str) -> AppTest:
    next(b for b in app.button if b.label == label).click()
    app.run()
    assert not app.exception
    return app


def finish(app: AppTest) -> SideBySide:
    """Draw the page until nothing is under way."""
    held: SideBySide = app.session_state["comparison prompts"]
    for _ in range(10):
        for job in held.jobs():
            assert job.wait(30)
        app.run()
        assert not app.exception
        if held.answered and not held.jobs():
            break
    return held


def test_two_examples_are_chosen_and_nothing_is_run_unasked(app: AppTest, fake_service: Service) -> None:
    assert app.multiselect[0].value == ["first", "second"]
    assert [i.value for i in app.info] == ["The model has not answered all of these prompts yet. Press Run."]
    assert fake_service.depth == 0


def test_run_answers_every_version_and_judges_each_answer_under_each_prompt(app: AppTest) -> None:
    press(app, "Run")
    held = finish(app)
    assert [side.generation.text for side in held.sides] == ["cba", "zyx"]
    assert held.mean_nats().shape == (2, 2)
    assert not app.error


def test_one_version_is_too_few(app: AppTest) -> None:
    app.multiselect[0].set_value(["first"]).run()
    assert [i.value.split(".")[0] for i in app.info] == ["Choose at least two versions"]


def test_variables_through_every_version(open_app: Callable[[str], AppTest], fake_service: Service) -> None:
    app = open_app("compare_prompts")
    here = fake_service.store.workspace()
    for name, template in (("short", "say {word}"), ("long", "please say {word}")):
        here.add_example(
            "samples",
            Example(
                name, template.replace("{word}", "abc"), "cba", fields={"template": template, "word": "abc"}
            ),
        )
    app.session_state["versions"] = ["short", "long"]
    app.query_params["example"] = "short"
    app.run()
    press(app, "Run the table")
    held = app.session_state["job box"].get("variables × versions")
    if held is not None:
        assert held.wait(30)
    app.run()
    assert not app.exception
    assert any("of 1: short: 1, long: 1" in m.value.replace("\\", "") for m in app.markdown)
