"""Parts taken out in other ways than one by one: which stay in, how, what it costs, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.service import Service
from core.ui.explaining.maps import parts
from core.ui.salience_text import prompt_id
from tests.pages.test_salience import answer, finish, order, press, press_run, write


@pytest.fixture
def app(open_app: Callable[..., AppTest]) -> AppTest:
    page = finish(press_run(open_app("salience")))
    page.session_state["details"] = "Take-out test"
    return page.run()


def wait_for_tests(app: AppTest) -> AppTest:
    for job in app.session_state["part tests"].values():
        assert job.wait(30)
    app.run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    return " ".join(text.value.replace("\\", "") for text in app.markdown)


def test_the_price_stands_before_and_the_scores_after(app: AppTest) -> None:
    app = wait_for_tests(press(app, "Measure · 48 runs"))
    (table,) = (frame.value for frame in app.dataframe)
    assert table["Where"].tolist() == ["line 1"] and table["Adds (nats)"].tolist() == [0]  # line 2 is the cue
    assert any("48 runs cost" in caption.value for caption in app.caption)
    assert any("1 part has no score" in caption.value for caption in app.caption)
    assert "Parts were cut out." in said(app)
    app.selectbox(key="part way").set_value("shapley").run()
    app = wait_for_tests(press(app, "Measure · 9 runs"))  # 8 orders of one line, and the whole
    assert "95 % interval" in app.dataframe[0].value


def test_a_part_stays_in_by_a_click_and_is_never_taken_out(app: AppTest, fake_service: Service) -> None:
    held = answer(app)
    here = parts(held.generation, "line", None)
    order(app, "lock", part=1, prompt=prompt_id(here.prompt))  # the cue, which was proposed
    assert list(app.session_state["locked parts"].values()) == [()]
    order(app, "lock", part=0, prompt=prompt_id(here.prompt))
    app = wait_for_tests(press(app, "Measure · 48 runs"))
    assert app.dataframe[0].value["Where"].tolist() == ["line 2"]
    order(app, "measure", value="top", prompt=prompt_id(here.prompt), rows=[0])
    (cause,) = app.session_state["causes"].values()
    assert cause.wait(30) and cause.result.request.locked == (0,)
    order(app, "lock", part=7, prompt=prompt_id(here.prompt))  # a part that is not there
    order(app, "lock", part=1, prompt="another text")
    assert list(app.session_state["locked parts"].values()) == [(0,)]


def test_where_all_stays_in_it_says_so(app: AppTest) -> None:
    held = answer(app)
    here = prompt_id(parts(held.generation, "line", None).prompt)
    order(app, "lock", part=0, prompt=here)
    app = wait_for_tests(press(app, "Measure · 48 runs"))
    assert any("every one is locked" in error.value for error in app.error)


def test_a_line_of_another_example_takes_the_place(app: AppTest) -> None:
    app.session_state["part test take_out_test how"] = "other"
    app.run()
    app = wait_for_tests(press(app, "Measure · 48 runs"))
    assert "a line of another example" in said(app)


def test_other_words_are_typed_and_measured_against_those_that_were_written(app: AppTest) -> None:
    app.session_state["details"] = "How sure the model was"
    app.run()
    box = next(one for one in app.text_input if one.label == "Or than these words")
    box.set_value("xyz").run()
    app = wait_for_tests(app)
    assert "No part by itself speaks for “cba” rather than “xyz”" in said(app)
    box = next(one for one in app.text_input if one.label == "Or than these words")
    box.set_value("cba").run()
    app = wait_for_tests(app)
    assert any("The other words are those that were written" in error.value for error in app.error)


def test_another_versions_answer_is_measured_from_where_it_leaves(app: AppTest) -> None:
    write(app, "one line\nabd")
    app = finish(press_run(app))
    app.session_state["details"] = "How sure the model was"
    app.run()
    menu = next(one for one in app.selectbox if one.label == "Or than the answer of")
    menu.set_value("first").run()
    app = wait_for_tests(app)
    assert "No part by itself speaks for “dba” rather than “cba”" in said(app)


def test_the_map_says_how_far_to_trust_it(app: AppTest) -> None:
    assert any("nothing was taken out yet" in caption.value for caption in app.caption)
