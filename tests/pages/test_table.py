"""*Which version wins?* over a model without weights: set up, asked, read, resumed, taken away."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.checks import as_checked, to_json
from core.prompt_table import PromptVersion, TableAnswerer, TablePlan
from core.prompt_table.prompts import named_columns
from core.records import Example
from core.service import Service
from core.store.kept_tables import KeptTable
from core.ui.table_page.rows import differing

ROWS = [
    Example("a", "whole a", "ba", fields={"word": "ab", "more": "?"}),
    Example("b", "whole b", "no", fields={"word": "xy", "more": "!"}),
    Example("c", "whole c", "dc", fields={"word": "cd", "more": "xyz"}),
]


@pytest.fixture
def dataset(fake_service: Service) -> str:
    return fake_service.store.workspace().datasets.add("rows", ROWS).id


def finish(app: AppTest) -> AppTest:
    """Draw the page until nothing is under way."""
    for _ in range(5):
        for job in list(app.session_state["job box"].values()):
            assert job.wait(30)
        app.run()
        assert not app.exception
    return app


def kept(fake_service: Service, dataset: str) -> KeptTable:
    versions = (PromptVersion("plain", "{word}"), PromptVersion("marked", "{word}{more}"))
    spec = fake_service.resolve(fake_service.specs()[0])
    checks = json.dumps(to_json([as_checked("contains", {})]))
    named = named_columns(versions, ROWS, {})
    plan = TablePlan(dataset, versions, (TableAnswerer(spec),), conditions=checks, columns_named=named)
    return fake_service.store.workspace().tables.keep(plan)


def test_two_versions_are_asked_from_the_form_and_kept(
    open_app: Callable[..., AppTest], dataset: str, fake_service: Service
) -> None:
    app = open_app("table", dataset=dataset)
    app.text_area[0].set_value("{word}")
    app.text_area[1].set_value("{word}{more}").run()
    (button,) = [b for b in app.button if b.label == "Ask 6 answers"]
    button.click().run()
    finish(app)
    (table,) = fake_service.store.workspace().tables.all(dataset)
    made = fake_service.store.workspace().tables.table(table.id)
    assert made.answers[:, :, 0].tolist() == [["ba", "?ba"], ["yx", "!yx"], ["dc", "zyx"]]
    assert any(
        "No clear winner over v1. v2: better on 0, worse on 1" in m.value.replace("\\", "")
        for m in app.markdown
    )
    assert app.query_params["table"] in (table.id, [table.id])


def test_a_table_that_was_cut_off_goes_on(
    open_app: Callable[..., AppTest], dataset: str, fake_service: Service
) -> None:
    table = kept(fake_service, dataset)
    app = open_app("table", dataset=dataset)
    assert any("0 of 6 answers are there." in c.value for c in app.caption)
    (button,) = [b for b in app.button if b.label == "Go on with 6"]
    button.click().run()
    finish(app)
    assert fake_service.store.workspace().tables.count(table.id) == 6
    assert not [b for b in app.button if b.label.startswith("Go on")]


def test_rows_that_turned_stand_first_and_cells_show_what_differs(
    open_app: Callable[..., AppTest], dataset: str, fake_service: Service
) -> None:
    kept(fake_service, dataset)
    app = open_app("table", dataset=dataset)
    next(b for b in app.button if b.label.startswith("Go on")).click().run()
    finish(app)
    (shown,) = [f.value for f in app.dataframe if "Target" in f.value]
    first = shown.iloc[0]
    assert (len(shown), first["Target"], first["plain"]) == (3, "dc", "✓ dc")
    assert first["marked"].startswith("✗ ")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("the same", "the same", "= the same answer"),
        ("It is warm today.", "It is cold today.", "It is cold today."),
        ("a b c d", "a b ", "without: c d"),
        ("", "new", "new"),
    ],
)
def test_a_cell_says_what_differs(before: str, after: str, said: str) -> None:
    assert differing(before, after) == said


def test_a_form_that_cannot_be_asked_says_why(open_app: Callable[..., AppTest], dataset: str) -> None:
    app = open_app("table", dataset=dataset)
    app.text_area[0].set_value("always the same").run()
    assert any("names no column" in w.value for w in app.warning)
    app.text_area[0].set_value("").run()
    assert any("1 to 20 prompt versions" in c.value for c in app.caption)
