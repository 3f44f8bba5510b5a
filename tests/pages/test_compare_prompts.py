"""Compare prompts over a model without weights: versions, answers under each prompt, variables."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.checks import as_checked, to_json
from core.service import Service
from core.store.marks import DatasetChecks
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


def verdicts(app: AppTest) -> list[str]:
    """The lines under the answers, left to right."""
    lines = (m.value.replace("\\", "") for m in app.markdown)
    return [said for said in lines if said.startswith((":green[", ":red[", ":gray["))]


def test_each_answer_has_the_verdict_of_the_datasets_checks(app: AppTest, fake_service: Service) -> None:
    press(app, "Run")
    finish(app)
    assert verdicts(app) == []  # nothing is checked
    here = fake_service.store.workspace()
    asked = DatasetChecks(tuple(to_json([as_checked("contains", {})])), ())
    here.marks.save_checks(here.examples.dataset_of("first"), asked)
    app.run()
    assert not app.exception
    assert verdicts(app) == [
        ":green[✓ right] it contains “cba”",
        ":gray[? unsure] there is no target to compare with",
    ]


def test_one_version_is_too_few(app: AppTest) -> None:
    app.multiselect[0].set_value(["first"]).run()
    assert [i.value.split(".")[0] for i in app.info] == ["Choose at least two versions"]
