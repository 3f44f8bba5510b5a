"""Compare prompts over a model without weights: versions, answers under each prompt, variables."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.checks import as_checked, to_json
from core.records import Example
from core.service import Service
from core.store.marks import DatasetChecks
from core.ui.compare_page import grid
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


@pytest.mark.parametrize(
    ("answer", "hoped", "right"),
    [
        ("She pays 180.", "18", False),  # a part of another number
        ("It is -5.", "5", False),
        ("3 and 15 make 18. In all: 20", "18", False),  # the number that the answer comes to counts
        ("In all: 1,800.0 dollars", "$1800", True),
        ("#### 18\nSee page 3.", "18", True),
        ("6 + 12 = 18", "Six and twelve.\n#### 18", True),  # a worked target with its number marked
        ("the concatenation", "cat", False),  # whole words
        ("The Black Cat.", "black cat", True),
        ("18 apples and pears", "18 apples", True),  # words with a number are words
        ("<think>Paris? No.</think>Rome", "Paris", False),  # what was thought is no answer
        ("", "18", False),
    ],
)
def test_the_hoped_for_words_are_found_as_the_metrics_find_them(answer: str, hoped: str, right: bool) -> None:
    assert grid.fits(answer, hoped) is right


@pytest.mark.parametrize(
    ("answer", "hoped", "line"),
    [
        ("one\ntwo", "", "two"),
        ("```\nx = 1\n```\n", "", "x = 1"),  # a line without a letter or digit says nothing
        ("It is a black cat.\nAsk me more!", "black cat", "It is a black cat."),  # where the words stand
        ("First 18.\nThen 20.", "18", "Then 20."),  # wrong: what it comes to
        ("a black\ncat", "black cat", "cat"),  # right, but in no line of its own
        ("<think>long\nthought</think>\nRome", "", "Rome"),
        ("…", "", "…"),
        (" \n", "18", "(nothing)"),
    ],
)
def test_a_cell_shows_the_line_that_matters(answer: str, hoped: str, line: str) -> None:
    assert grid.telling_line(answer, hoped) == line


def test_one_version_is_too_few(app: AppTest) -> None:
    app.multiselect[0].set_value(["first"]).run()
    assert [i.value.split(".")[0] for i in app.info] == ["Choose at least two versions"]


def test_variables_through_every_version(open_app: Callable[[str], AppTest], fake_service: Service) -> None:
    app = open_app("compare_prompts")
    here = fake_service.store.workspace()
    for name, template in (("short", "say {word}"), ("long", "please say {word}")):
        here.examples.add_one(
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
    (shown,) = [f.value for f in app.dataframe if "short" in f.value and "word" in f.value]
    assert list(shown["short"]) == ["✓ cba"]


def test_the_table_has_the_verdicts_of_the_datasets_checks(
    open_app: Callable[[str], AppTest], fake_service: Service
) -> None:
    app = open_app("compare_prompts")
    here = fake_service.store.workspace()
    for name, template in (("short", "say {word}"), ("other", "{word} say")):
        made = Example(
            name, template.replace("{word}", "abc"), "cba", fields={"template": template, "word": "abc"}
        )
        here.examples.add_one("samples", made)
    asked = [as_checked("contains", {}), as_checked("contains", {"text": "y"}, negated=True)]
    here.marks.save_checks("samples", DatasetChecks(tuple(to_json(asked)), ()))
    app.session_state["versions"] = ["short", "other"]
    app.query_params["example"] = "short"
    app.run()
    press(app, "Run the table")
    held = app.session_state["job box"].get("variables × versions")
    if held is not None:
        assert held.wait(30)
    app.run()
    assert not app.exception
    (shown,) = [f.value for f in app.dataframe if "short" in f.value and "word" in f.value]
    assert (list(shown["short"]), list(shown["other"])) == (["✓ cba"], ["✗ yas"])
    assert any("Right answers, of 1: short: 1, other: 0" in m.value.replace("\\", "") for m in app.markdown)
