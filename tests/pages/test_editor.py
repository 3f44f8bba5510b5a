"""The Editor: drafts, versions, variables, and nothing lost on the way to another page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.records import Example
from core.service import Service


@pytest.fixture
def app(open_app: Callable[[str], AppTest]) -> AppTest:
    return open_app("editor")


def press(app: AppTest, label: str) -> AppTest:
    next(b for b in app.button if b.label == label).click()
    app.run()
    assert not app.exception
    return app


def test_adding_what_has_not_changed_is_told(app: AppTest, fake_service: Service) -> None:
    press(app, "Add")
    assert [i.value for i in app.info] == ["Nothing has changed yet, so there is nothing to add."]
    assert len(fake_service.store.workspace().lineage("first")) == 1


def test_add_keeps_a_version_with_prompt_and_target(app: AppTest, fake_service: Service) -> None:
    app.text_area(key="prompt first").set_value("one line\nnew words")
    app.text_area(key="target first").set_value("hoped for")
    press(app, "Add")
    kept = fake_service.store.workspace().example("first-v2")
    assert (kept.prompt, kept.target, kept.parent_id) == ("one line\nnew words", "hoped for", "first")
    assert app.text_area(key="prompt first-v2").value == "one line\nnew words"
    assert {"first", "first\\-v2"} <= {b.label for b in app.button}


def test_reset_brings_the_kept_text_back(app: AppTest) -> None:
    app.text_area(key="prompt first").set_value("changed").run()
    press(app, "Reset")
    assert app.text_area[0].value == "one line\nabc"


def test_variables_become_fields_and_are_filled_in(app: AppTest, fake_service: Service) -> None:
    app.text_area(key="prompt first").set_value("Dear {name}, {{kept}} {word}").run()
    app.text_input(key="variable name of first (0)").set_value("Ada")
    app.text_input(key="variable word of first (0)").set_value("hello").run()
    press(app, "Add")
    kept = fake_service.store.workspace().example("first-v2")
    assert kept.prompt == "Dear Ada, {kept} hello"
    assert kept.fields["template"] == "Dear {name}, {{kept}} {word}"
    assert kept.fields["name"] == "Ada"
    # The version opens as the template it is, so that the next edit is one of the template.
    assert app.text_area(key="prompt first-v2").value == "Dear {name}, {{kept}} {word}"
    assert app.text_input(key="variable name of first-v2 (0)").value == "Ada"
    app.text_area(key="prompt first-v2").set_value("Hello {name}").run()
    press(app, "Add")
    assert fake_service.store.workspace().example("first-v3").prompt == "Hello Ada"


def test_values_belong_to_their_example(open_app: Callable[..., AppTest], fake_service: Service) -> None:
    rows = [
        Example(n, f"Dear {v}", fields={"template": "Dear {name}", "name": v})
        for n, v in (("a", "Ada"), ("b", "Bo"))
    ]
    dataset = fake_service.store.workspace().add_dataset("made", rows)
    app = open_app("editor", dataset=dataset.id, example="a")
    app.text_input(key="variable name of a (0)").set_value("Eve").run()
    app.selectbox(key="open a").set_value("b").run()
    assert app.text_input(key="variable name of b (0)").value == "Bo"
    assert any("Nothing is changed" in caption.value for caption in app.caption)


def test_a_draft_survives_another_page(app: AppTest) -> None:
    app.text_area(key="prompt first").set_value("not kept yet").run()
    app.switch_page("pages/salience.py")
    app.run()
    assert app.text_area(key="prompt first").value == "not kept yet"


def test_the_first_example_of_an_empty_dataset_is_written_here(
    open_app: Callable[..., AppTest], fake_service: Service
) -> None:
    dataset = fake_service.store.workspace().add_dataset("none", [])
    app = open_app("editor", dataset=dataset.id)
    assert "has no examples yet" in app.info[0].value
    press(app, "Add")
    assert "prompt is empty" in app.error[0].value
    app.text_area[0].set_value("the first")
    app.text_area[1].set_value("hoped for")
    press(app, "Add")
    (kept,) = fake_service.store.workspace().examples(dataset.id)
    assert (kept.prompt, kept.target) == ("the first", "hoped for")
    assert app.text_area(key=f"prompt {kept.id}").value == "the first"


def test_the_link_names_the_example_also_after_a_walk_through_the_menu(
    open_app: Callable[..., AppTest],
) -> None:
    app = open_app("editor", example="second")
    assert app.query_params["example"] in ("second", ["second"])


def test_add_and_compare_opens_both_versions(app: AppTest) -> None:
    app.text_area(key="prompt first").set_value("one line\nxyz").run()
    press(app, "Add and compare")
    (menu,) = app.multiselect
    assert menu.value == ["first", "first-v2"]
