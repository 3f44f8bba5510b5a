"""*What do people say?* over a kept table: judged, chosen blind, commented, exported; two people lose nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.prompt_table import CellAnswer, PromptVersion, TableAnswerer, TablePlan
from core.records import Example, ModelSpec
from core.service import Service
from core.store.kept_tables import KeptTable

ROWS = [Example(name, f"prompt {name}", "yes") for name in "abc"]


@pytest.fixture
def table(fake_service: Service) -> KeptTable:
    here = fake_service.store.workspace()
    dataset = here.datasets.add("rows", ROWS).id
    versions = (PromptVersion("v1", "{prompt}"), PromptVersion("v2", "{prompt}!"))
    kept = here.tables.keep(
        TablePlan(dataset, versions, (TableAnswerer(ModelSpec("m", "m")),), columns_named=("prompt",))
    )
    here.tables.save(
        kept.id,
        [
            CellAnswer(row, column, 0, f"answer {column} to {row}", "right" if column else "wrong", "")
            for row in "abc"
            for column in (0, 1)
        ],
    )
    return kept


@pytest.fixture
def page(open_app: Callable[..., AppTest], table: KeptTable) -> Callable[[str], AppTest]:
    return lambda name: open_app("review", dataset=table.plan.dataset_id, reviewer=name)


def press(app: AppTest, label: str) -> None:
    next(b for b in app.button if b.label == label).click()
    app.run()
    assert not app.exception


def test_a_queue_is_judged_to_its_end(
    page: Callable[[str], AppTest], fake_service: Service, table: KeptTable
) -> None:
    app = page("Ann")
    for _ in range(6):
        press(app, "Right")
    assert any("everything here" in one.value for one in app.success)
    said = fake_service.store.workspace().reviews.of_table(table.id)
    assert len({(one.example_id, one.column) for one in said}) == 6 and {one.value for one in said} == {
        "right"
    }
    (shown,) = [f.value for f in app.dataframe if "Cohen's kappa" in f.value]
    assert list(shown["the same"]) == ["3 (50%)"]


def test_a_blind_choice_names_no_version_and_is_counted_for_the_right_one(
    page: Callable[[str], AppTest], fake_service: Service, table: KeptTable
) -> None:
    app = page("Ann")
    app.session_state["review way"] = "Which answer is better? (blind)"
    app.run()
    assert not any("v1" in m.value or "v2" in m.value for m in app.markdown)
    left = app.code[0].value
    press(app, "A is better")
    (one,) = fake_service.store.workspace().reviews.of_table(table.id)
    chosen = one.column if one.value == "first" else one.other
    assert left == f"answer {chosen} to {one.example_id}"
    press(app, "Tie")
    (shown,) = [f.value for f in app.dataframe if "rows won" in f.value]
    assert list(shown["ties"]) == [1]


def test_a_comment_is_about_words_that_stand_there(
    page: Callable[[str], AppTest], fake_service: Service, table: KeptTable
) -> None:
    app = page("Ann")
    answer = app.code[0].value
    quote = next(t for t in app.text_input if t.label.startswith("Words"))
    quote.set_value("nowhere to be found")
    next(t for t in app.text_area if t.label == "Comment").set_value("too short")
    press(app, "Keep the comment")
    assert "do not stand" in app.error[0].value
    next(t for t in app.text_input if t.label.startswith("Words")).set_value("answer")
    press(app, "Keep the comment")
    (one,) = fake_service.store.workspace().reviews.of_table(table.id)
    assert (one.text, one.place, answer[one.start : one.stop]) == ("too short", "answer", "answer")


def test_two_people_judge_the_same_queue_at_once_and_lose_nothing(
    page: Callable[[str], AppTest], fake_service: Service, table: KeptTable
) -> None:
    ann, bob = page("Ann"), page("Bob")
    for _ in range(6):
        press(ann, "Right")
        press(bob, "Wrong")
    said = fake_service.store.workspace().reviews.of_table(table.id)
    by = {
        name: {(o.example_id, o.column): o.value for o in said if o.reviewer == name}
        for name in ("Ann", "Bob")
    }
    assert [len(one) for one in by.values()] == [6, 6] and len(said) == 12
    assert set(by["Ann"].values()) == {"right"} and set(by["Bob"].values()) == {"wrong"}


def test_without_a_name_or_a_table_the_page_says_what_it_needs(
    page: Callable[[str], AppTest], open_app: Callable[..., AppTest]
) -> None:
    assert any("Write your name" in one.value for one in page("").info)
    assert any("no table of answers" in one.value for one in open_app("review").info)
