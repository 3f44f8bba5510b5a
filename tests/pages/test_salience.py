"""The Salience page as a reviewer uses it, wrong input too, over a model without weights."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.service import Service
from core.ui.salience_page.session import Answer


@pytest.fixture
def app(open_app: Callable[[str], AppTest]) -> AppTest:
    return open_app("salience")


def answer(app: AppTest) -> Answer:
    """The newest answer of the session."""
    return list(app.session_state["answers"].values())[-1]


def finish(app: AppTest) -> AppTest:
    """Draw the page until nothing is under way."""
    for _ in range(10):
        held = answer(app)
        jobs = [job for job in (held.job, *held.map_jobs.values()) if job is not None]
        trials = (
            [t for found in app.session_state["trials"].values() for t in found]
            if "trials" in app.session_state
            else []
        )
        jobs += [job for t in trials for job in (t.writing, t.scoring)]
        for job in jobs:
            assert job.wait(30)
        app.run()
        assert not app.exception
        if held.generation is not None and held.map_jobs:
            break
    return app.run()


def press_run(app: AppTest) -> AppTest:
    next(b for b in app.button if b.label == "Run").click()
    return app.run()


def errors(app: AppTest) -> list[str]:
    return [e.value.replace("\\", "") for e in app.error]


def test_nothing_is_run_unasked(app: AppTest, fake_service: Service) -> None:
    assert "answers" not in app.session_state or not app.session_state["answers"]
    assert fake_service.depth == 0
    assert [s.label for s in app.selectbox] == ["Example", "Granularity", "Method", "Model"]


def test_run_answers_and_explains(app: AppTest) -> None:
    finish(press_run(app))
    held = answer(app)
    assert held.generation is not None and held.generation.text == "cba"
    assert {t.label for t in app.tabs} >= {"Heatmap", "Table", "Token probabilities"}
    assert not errors(app)


def test_an_edited_prompt_becomes_a_version_and_the_first_stays(app: AppTest, fake_service: Service) -> None:
    app.text_area(key="prompt first").set_value("one line\ndef")
    finish(press_run(app))
    assert app.query_params["example"] in ("first-v2", ["first-v2"])
    here = fake_service.store.workspace()
    assert here.example("first-v2").parent_id == "first"
    assert here.example("first").prompt == "one line\nabc"
    assert answer(app).generation.text == "fed"
    assert app.text_area(key="prompt first-v2").value == "one line\ndef"


def test_an_empty_prompt_is_told(app: AppTest) -> None:
    app.text_area(key="prompt first").set_value("  \n")
    press_run(app)
    assert errors(app) == ["The prompt is empty. Write something for the model to answer, then press Run."]


def test_a_prompt_beyond_the_model_is_told_and_kept(app: AppTest) -> None:
    long = "word " * 100
    app.text_area(key="prompt first").set_value(long)
    press_run(app)
    assert answer(app).job.wait(30)
    app.run()
    assert errors(app) == ["The prompt is 500 tokens long."]
    assert app.text_area(key="prompt first-v2").value == long


def test_a_broken_expression_is_told_and_the_map_stays(app: AppTest) -> None:
    finish(press_run(app))
    app.selectbox(key="granularity").set_value("custom").run()
    app.text_input(key="pattern").set_value("(").run()
    assert len(errors(app)) == 1
    assert "(" in errors(app)[0]
    assert not app.exception


def test_markup_in_a_prompt_is_text(app: AppTest) -> None:
    bad = "<script>window.hit=1</script><img src=x onerror=alert(1)>"
    app.text_area(key="prompt first").set_value(bad)
    finish(press_run(app))
    assert not any("<script>" in str(h.value) for h in [*app.markdown, *app.caption])
    assert app.text_area(key="prompt first-v2").value == bad
