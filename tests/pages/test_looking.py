"""By a link that only looks: every page shows what is there, and offers nothing that it would then refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from core.checks import as_checked, to_json
from core.jobs import Job
from core.records import Example, GenerationParams
from core.service import Service
from core.store.marks import DatasetChecks
from core.store.tables import metadata
from core.store.work import WorkList
from core.store.workspace import Workspace
from core.ui.asking.conversation import FIELD

PAGES = (
    "salience",
    "dataset",
    "compare_prompts",
    "compare_models",
    "counterfactuals",
    "metrics",
    "template",
    "trust",
    "models",
)
OUT_OF_IT = ("Back to my workspace",)


@pytest.fixture
def options() -> dict[str, Any]:
    return {"mode": "hosted", "MODEL_CONFIG": "fake:fake/model,other:fake/other"}


@pytest.fixture
def looked_at(fake_service: Service, monkeypatch: pytest.MonkeyPatch) -> tuple[Workspace, str]:
    """A workspace that holds something for every button, and a link that may only look at it."""
    store = fake_service.store
    here = store.visitors.home("browser a", who="a browser")
    chat = {FIELD: [{"role": "system", "content": "Be brief."}]}
    rows = [
        Example("one", "Dish: soup\nAnalysis:", "pus", "made", fields={"dish": "soup"}),
        Example("two", "Dish: bread\nAnalysis:", "dae", "made", parent_id="one", fields={"dish": "bread"}),
        Example("three", "Dish: {dish}\nAnalysis:", None, "made", fields={**chat, "said": "pus"}),
    ]
    made = here.datasets.add("theirs", rows)
    here.marks.star(["one"])
    here.marks.add_to_slice(made.id, "odd", ["two"])
    here.examples.retire(["three"])
    here.examples.retire(["three"], retired=False)
    contains = as_checked("contains", {"text": "pus"}, negated=False, hosted=True)
    here.marks.save_checks(made.id, DatasetChecks(tuple(to_json((contains,))), ()))
    spec, params = fake_service.specs()[0], GenerationParams()
    job = fake_service.answers.generate(rows[0].prompt, spec, params, owner="a", example_id="one")
    assert job.wait(30)
    WorkList(here).begin("generate", "k", ["one", "two"], {})
    _, token = store.visitors.share(here, may_edit=False, days=1)
    monkeypatch.setattr("core.ui.shell.visitor.browser", lambda: "browser b")
    return here, token


def everything(store: Any) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables but who came when."""
    held = {}
    with store.engine.connect() as connection:
        for table in metadata.sorted_tables:
            columns = [c for c in table.c if c.name != "seen_at"]
            held[table.name] = sorted(map(tuple, connection.execute(select(*columns))), key=repr)
    return held


def opened(open_app: Callable[..., AppTest], looked_at: tuple[Workspace, str], page: str) -> AppTest:
    here, token = looked_at
    dataset = next(one.id for one in here.datasets.all() if not one.shared)
    return open_app(page, **{"token of the shared link": token}, dataset=dataset, example="one")


def presses(app: AppTest) -> Iterator[tuple[str, Any]]:
    for button in app.button:
        if not button.disabled and button.label not in OUT_OF_IT:
            yield f"button {button.label} ({button.key})", button.click
    for box in app.checkbox:
        if not box.disabled:
            yield f"checkbox {box.label}", (box.uncheck if box.value else box.check)
    for area in (*app.text_area, *app.text_input):
        if not area.disabled:
            yield f"text {area.label}", lambda area=area: area.set_value("something else")
    for menu in app.multiselect:
        if not menu.disabled:
            yield f"menu {menu.label}", lambda menu=menu: menu.set_value(list(menu.options)[:1])


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_offered_that_changes_something(
    open_app: Callable[..., AppTest], looked_at: tuple[Workspace, str], fake_service: Service, page: str
) -> None:
    submit, begun = fake_service.jobs.submit, []

    def submitted(*args: Any, **how: Any) -> Job[Any]:
        begun.append(submit(*args, **how))
        return begun[-1]

    fake_service.jobs.submit = submitted  # type: ignore[method-assign]
    count = len(list(presses(opened(open_app, looked_at, page))))
    before = everything(fake_service.store)
    for number in range(count):
        app = opened(open_app, looked_at, page)
        listed = list(presses(app))
        if number >= len(listed):
            break
        name, press = listed[number]
        press()
        app.run()
        for job in begun:
            assert job.wait(30), name
        app.run()
        assert not app.exception, name
        refused = [box.value for box in (*app.error, *app.warning) if "lets you look" in box.value]
        assert not refused, name
        after = everything(fake_service.store)
        assert {k: v for k, v in after.items() if v != before[k]} == {}, name
