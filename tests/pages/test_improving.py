"""*Why, and what to change* on the table's page, *What does it need?* under Details; over a model without weights."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.checks import as_checked, to_json
from core.prompt_table import PromptVersion, TableAnswerer, TablePlan
from core.prompt_table.prompts import named_columns
from core.records import Example
from core.runs import AskTable, runner
from core.service import Service
from tests.pages.test_salience import finish, press, press_run

ROWS = [
    Example("a", "whole a", "ba", fields={"word": "ab", "more": "?"}),
    Example("b", "whole b", "no", fields={"word": "xy", "more": "!"}),
    Example("c", "whole c", "dc", fields={"word": "cd", "more": "xyz"}),
    Example("d", "whole d", "fe", fields={"word": "ef", "more": "uvw"}),
]
VERSIONS = (
    PromptVersion("plain", "Be kind.\nBe brief.\n{word}"),
    PromptVersion("marked", "Be kind.\nBe very brief.\n{word}{more}"),
)


@pytest.fixture
def table(fake_service: Service) -> str:
    """The id of a table that is asked: *plain* is right on three rows of four, *marked* on one."""
    here = fake_service.store.workspace()
    dataset = here.datasets.add("rows", ROWS).id
    spec = fake_service.resolve(fake_service.specs()[0])
    checks = json.dumps(to_json([as_checked("contains", {})]))
    named = named_columns(VERSIONS, ROWS, {})
    plan = TablePlan(dataset, VERSIONS, (TableAnswerer(spec),), conditions=checks, columns_named=named)
    kept = here.tables.keep(plan)
    task = AskTable(kept.id, json.dumps(plan.to_json()))
    assert runner(fake_service).run(task, here.tables.rows(plan), spec, workspace=here, owner="test").wait(30)
    return kept.id


@pytest.fixture
def ask(open_app: Callable[..., AppTest], fake_service: Service, table: str) -> Callable[[str, str], AppTest]:
    """Opens the table, asks a question and draws until it is answered."""

    def press(question: str, label: str) -> AppTest:
        dataset = fake_service.store.workspace().tables.get(table).plan.dataset_id
        app = open_app("table", dataset=dataset, table=table)
        app.session_state["improve asked"] = question
        app.run()
        (button,) = [b for b in app.button if b.label == label]
        button.click().run()
        for _ in range(3):
            for job in list(app.session_state["job box"].values()):
                assert job.wait(60)
            app.run()
            assert not app.exception
        return app

    return press


def said(app: AppTest) -> str:
    return "\n".join(one.value for one in [*app.markdown, *app.caption]).replace("\\", "")


def frame_with(app: AppTest, column: str) -> dict[str, list[object]]:
    (found,) = [one.value for one in app.dataframe if column in one.value.columns]
    return {name: found[name].tolist() for name in found.columns}


def test_each_place_of_an_edit_is_measured(ask: Callable[[str, str], AppTest]) -> None:
    app = ask("What mattered in the edit?", "Measure each place")
    lines = frame_with(app, "Brought (points)")
    assert lines["Place"] == ["+ “{more}”", "+ “very”"]
    assert lines["Worse on"] == [2, 0] and lines["Better on"] == [0, 0]
    assert "Right on 75% of 4 rows before, 25% after." in said(app)
    assert "Every mixture of the places was asked" in said(app)


def test_what_may_go_and_the_shortest_prompt_is_kept(
    ask: Callable[[str, str], AppTest], fake_service: Service, table: str
) -> None:
    app = ask("What may go?", "Find what may go")
    lines = frame_with(app, "Answers that change")
    assert lines["Part of the prompt"] == ["Be kind.", "Be brief."]
    assert lines["Answers that change"] == ["0 of 4", "0 of 4"]
    assert "2 of 2 parts change no answer on 4 rows when taken out alone." in said(app)
    assert "Shortest prompt: 6 instead of 25 tokens" in said(app)
    (button,) = [b for b in app.button if b.label == "Keep the shortest as a version"]
    button.click().run()
    (kept,) = [one for one in fake_service.store.workspace().tables.all() if one.id != table]
    assert [version.template for version in kept.plan.versions][-1] == "{word}"
    assert kept.plan.versions[-1].name == "shortest"


def test_wrong_rows_are_read_and_no_repair_is_believed_unmeasured(ask: Callable[[str, str], AppTest]) -> None:
    app = ask("What carried the wrong answers?", "Find and mend")
    assert "wrong row" in said(app)
    assert not [b for b in app.button if b.label == "Keep the winner as a version"]


def test_the_baseline_against_itself_is_told(
    open_app: Callable[..., AppTest], fake_service: Service, table: str
) -> None:
    dataset = fake_service.store.workspace().tables.get(table).plan.dataset_id
    app = open_app("table", dataset=dataset, table=table)
    app.session_state["improve asked"] = "What mattered in the edit?"
    app.run()
    (picked,) = [one for one in app.selectbox if one.label == "Version"]
    picked.set_value(0).run()
    assert "The version is the baseline itself." in said(app)


def test_what_an_answer_needs(open_app: Callable[..., AppTest]) -> None:
    app = finish(press_run(open_app("salience")))
    app.session_state["details"] = "What does it need?"
    press(app.run(), "Find what it needs")
    for job in app.session_state["needed"].values():
        assert job.wait(30)
    app.run()
    assert not app.exception
    assert "None of these lines is needed: the model chooses these words without all of them." in said(app)
    assert "No lines were found without which it chooses other words." in said(app)
