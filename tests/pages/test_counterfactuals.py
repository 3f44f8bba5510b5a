"""The Counterfactuals page over a model without weights: made, marked, edited, dropped, added, ranked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.checks import as_checked, to_json
from core.records import Example
from core.service import Service
from core.store.marks import DatasetChecks
from tests.pages.drawn import bar_tables

ROWS = [Example("a", "one\ntwo\nabc", "cba"), Example("b", "great soup", "zzz")]


@pytest.fixture
def page(open_app: Callable[..., AppTest], fake_service: Service) -> Callable[[], AppTest]:
    """Opens the page on a dataset of the rows."""
    dataset = fake_service.store.workspace().datasets.add("rows", ROWS)
    return lambda: open_app("counterfactuals", dataset=dataset.id, example="a")


def press(app: AppTest, start: str) -> None:
    (found,) = [b for b in app.button if b.label.startswith(start)]
    found.click().run()
    assert not app.exception


def finish(app: AppTest) -> None:
    """Waits for the jobs, and for those that they start."""
    for _ in range(4):
        try:
            held = app.session_state["job box"]
        except KeyError:
            held = {}
        for job in list(held.values()):
            assert job.wait(30)
        app.run()
    assert not app.exception


def html(app: AppTest) -> str:
    return " ".join(str(element.proto.body) for element in app.get("html"))


def test_from_a_line_left_out_to_its_effect(page: Callable[[], AppTest], fake_service: Service) -> None:
    app = page()
    assert not app.exception
    assert app.info and not fake_service.manager.loaded
    press(app, "Make changes")
    assert [s.value for s in app.subheader] == ["Leave one part out: 3 of 3 kept"]
    assert "<del>two ⏎ </del>" in html(app)
    app.checkbox(key=next(c.key for c in app.checkbox if c.label == "Keep")).uncheck().run()
    assert [s.value for s in app.subheader] == ["Leave one part out: 2 of 3 kept"]
    assert not fake_service.manager.loaded
    press(app, "Run 2 and rank")
    finish(app)
    assert any(s.value == "1 of 2 changes made the model answer something else" for s in app.subheader)
    [table] = bar_tables(app)
    rows = table["panels"][0]["lines"]
    assert {row["label"]: "".join(text for _, text in row["came"]) for row in rows} == {
        "without line 2: “two”": "Same answer.",
        "without line 3: “abc”": "Answer: cba ⏎ ow",
    }
    assert rows[0]["label"] == "without line 3: “abc”" or rows[0]["bars"][0]["value"] is not None


def test_each_change_has_the_verdicts_before_and_after(
    page: Callable[[], AppTest], fake_service: Service
) -> None:
    app = page()
    asked = [as_checked("contains", {"text": "cba"})]
    here = fake_service.store.workspace()
    here.marks.save_checks(app.session_state["dataset"], DatasetChecks(tuple(to_json(asked)), ()))
    press(app, "Make changes")
    press(app, "Run 3 and rank")
    finish(app)
    assert any("still right: 2, right → wrong: 1" in c.value.replace("\\", "") for c in app.caption)
    [table] = bar_tables(app)
    said = {row["label"]: row["bars"][0]["text"] for row in table["panels"][0]["lines"]}
    assert said["without line 3: “abc”"].endswith(", right → wrong")
    assert said["without line 1: “one”"].endswith(", still right")


def test_added_with_lineage_and_only_once(page: Callable[[], AppTest], fake_service: Service) -> None:
    app = page()
    press(app, "Make changes")
    press(app, "Add 3 to the dataset")
    press(app, "Add 3 to the dataset")
    here = fake_service.store.workspace()
    rows = here.examples.of(app.session_state["dataset"])
    assert [row.id for row in rows[:2]] == ["a", "b"]
    assert [(row.parent_id, row.edit) for row in rows[2:]] == [
        ("a", "without line 1: “one”"),
        ("a", "without line 2: “two”"),
        ("a", "without line 3: “abc”"),
    ]


def test_a_staged_change_can_be_edited(page: Callable[[], AppTest]) -> None:
    app = page()
    press(app, "Make changes")
    staged = app.session_state["staged"]
    first = staged.examples[0]
    app.text_area(key=f"edit {first.id}").set_value("something else").run()
    app.button(key=f"use edited {first.id}").click().run()
    assert not app.exception
    assert staged.examples[0].prompt == "something else"
    assert staged.examples[0].edit == "without line 1: “one”, then by hand"
    assert staged.examples[0].parent_id == "a"


@pytest.mark.parametrize(
    ("rules", "told"),
    [("great terrible", "has no arrow"), ("", "There is no rule yet"), ('great -> "x', "is not closed")],
)
def test_a_bad_rule_is_a_sentence(page: Callable[[], AppTest], rules: str, told: str) -> None:
    app = page()
    app.selectbox(key="generator").set_value("word_replacer").run()
    app.text_area(key="word_replacer rules").set_value(rules).run()
    press(app, "Make changes")
    assert len(app.error) == 1 and told in app.error[0].value.replace("\\", "")


def test_every_form_is_drawn_from_its_declaration(page: Callable[[], AppTest]) -> None:
    from core.counterfactuals import GENERATORS

    app = page()
    for member in GENERATORS:
        app.selectbox(key="generator").set_value(member.name).run()
        assert not app.exception
        shown: list[Any] = [
            *app.selectbox,
            *app.text_area,
            *app.text_input,
            *app.number_input,
            *app.checkbox,
            *app.radio,
        ]
        expected = {field.label for field in member.fields if field.only_with is None}
        assert expected <= {widget.label for widget in shown}
    app.selectbox(key="generator").set_value("leave_one_out").run()
    assert not [w for w in app.text_input if w.label == "Regular expression"]
    app.selectbox(key="leave_one_out granularity").set_value("custom").run()
    assert [w for w in app.text_input if w.label == "Regular expression"]


def test_no_rows_is_a_sentence(page: Callable[[], AppTest]) -> None:
    app = page()
    app.selectbox(key="counterfactuals rows").set_value("All rows").run()
    app.text_input(key="counterfactuals search").set_value("id:nothing").run()
    press(app, "Make changes")
    assert "no example to change" in app.error[0].value


def test_a_model_writes_paraphrases_as_a_job(page: Callable[[], AppTest], fake_service: Service) -> None:
    app = page()
    app.selectbox(key="generator").set_value("paraphrase").run()
    app.selectbox(key="paraphrase part").set_value("line").run()
    press(app, "Make changes")
    finish(app)
    staged = app.session_state["staged"]
    assert fake_service.manager.loaded
    assert staged.label == "Paraphrase" and len(staged.examples) == 3
    assert all(example.edit.startswith("line ") for example in staged.examples)


def test_a_generator_without_what_it_needs_is_a_sentence(page: Callable[[], AppTest]) -> None:
    app = page()
    app.selectbox(key="generator").set_value("back_translation").run()
    press(app, "Make changes")
    assert "none is set up" in app.error[0].value
    app.selectbox(key="generator").set_value("hotflip").run()
    press(app, "Make changes")
    finish(app)
    assert any("it gives no gradients" in error.value for error in app.error)
