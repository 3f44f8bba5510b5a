"""The Salience page as a reviewer uses it, wrong input too, over a model without weights."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import TextArea

from core.records import Message
from core.service import Service
from core.settings import ROOT
from core.ui.asking.answering import Answer
from core.ui.asking.conversation import replaced
from core.ui.explaining.maps import parts


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


def choose_chat(app: AppTest) -> AppTest:
    next(r for r in app.radio if r.label == "Send the prompt as").set_value("chat")
    return app.run()


def press(app: AppTest, label: str) -> AppTest:
    next(b for b in app.button if b.label == label).click()
    app.run()
    assert not app.exception
    return app


def box(app: AppTest, label: str) -> TextArea:
    return next(t for t in app.text_area if t.label == label)


def turns(app: AppTest) -> list[tuple[str, str]]:
    return [(t.label, t.value) for t in app.text_area]


def test_a_chat_of_one_turn_asks_no_more_of_the_person(app: AppTest, fake_service: Service) -> None:
    choose_chat(app)
    assert turns(app) == [("Prompt", "one line\nabc")]
    finish(press_run(app))
    assert answer(app).sent == (Message("user", "one line\nabc"),)
    assert answer(app).example_id == "first"
    assert app.query_params["send"] in ("chat", ["chat"])


def test_a_chat_goes_on_after_the_answer(app: AppTest, fake_service: Service) -> None:
    choose_chat(app)
    finish(press_run(app))
    press(app, "Add a turn")
    assert turns(app) == [("User 1", "one line\nabc"), ("Assistant 1", "cba"), ("Prompt", "")]
    press(app, "Add a system message")
    box(app, "System message").set_value("Be kind.")
    box(app, "Prompt").set_value("and xyz")
    finish(press_run(app))
    said = (
        Message("system", "Be kind."),
        Message("user", "one line\nabc"),
        Message("assistant", "cba"),
        Message("user", "and xyz"),
    )
    held = answer(app)
    assert held.sent == said and held.generation.text == "zyx"
    assert not errors(app)
    # It is a version of its own, so that its link restores the chat in another session.
    version = fake_service.store.workspace().example(held.example_id)
    assert version.parent_id == "first" and version.prompt == "and xyz"
    other = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
    other.query_params["example"] = version.id
    other.switch_page("pages/salience.py")
    other.run()
    assert not other.exception
    assert turns(other) == [
        ("System message", "Be kind."),
        ("User 1", "one line\nabc"),
        ("Assistant 1", "cba"),
        ("Prompt", "and xyz"),
    ]
    assert answer(other).generation.text == "zyx"  # from the store: nothing was run
    # What was there before stays as it was.
    assert fake_service.store.workspace().example("first").fields == {}


def test_turns_are_kept_from_page_to_page_until_they_are_run(app: AppTest) -> None:
    choose_chat(app)
    press(app, "Add a system message")
    box(app, "System message").set_value("Be ").run()
    app.switch_page("pages/models.py").run()
    app.switch_page("pages/salience.py").run()
    assert turns(app) == [("System message", "Be "), ("Prompt", "one line\nabc")]


def test_removing_a_turn_takes_its_answer_along_and_gives_the_words_back(app: AppTest) -> None:
    choose_chat(app)
    finish(press_run(app))
    press(app, "Add a turn")
    press(app, "Remove")
    assert turns(app) == [("Prompt", "one line\nabc")]


def test_an_empty_turn_is_told_and_nothing_is_lost(app: AppTest) -> None:
    choose_chat(app)
    press(app, "Add a turn")
    box(app, "Prompt").set_value("next")
    press_run(app)
    assert errors(app) == [
        "Turn 2 of the chat (assistant) is empty. Write what was said there, or remove that turn."
    ]
    assert turns(app) == [("User 1", "one line\nabc"), ("Assistant 1", ""), ("Prompt", "next")]


def test_a_chat_can_be_sent_as_plain_text_again(app: AppTest, fake_service: Service) -> None:
    choose_chat(app)
    press(app, "Add a system message")
    box(app, "System message").set_value("Be kind.")
    finish(press_run(app))
    chat = answer(app).example_id
    assert chat == "first-v2"
    next(r for r in app.radio if r.label == "Send the prompt as").set_value("plain")
    app.run()
    finish(press_run(app))
    assert answer(app).sent == "one line\nabc"
    assert fake_service.store.workspace().example(chat).fields["earlier_turns"]


def test_a_part_of_an_earlier_turn_is_removed_from_that_turn(app: AppTest) -> None:
    choose_chat(app)
    press(app, "Add a system message")
    box(app, "System message").set_value("Be kind.\n")
    finish(press_run(app))
    held = answer(app)
    here = parts(held.generation, "line", None)
    assert here.prompt[0].text == "Be kind.\n"
    assert replaced(held.sent, held.generation.tokens, here.prompt[0].chars, "") == (
        Message("user", "one line\nabc"),
    )
