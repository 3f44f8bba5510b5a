"""Rows are called by what a person knows them by, in every menu and list, and never by a hash."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.datasets import Bounds, load_bytes
from core.records import Example
from core.service import Service
from core.ui.shell.row_names import row_names

HASH = re.compile(r"\b[0-9a-f]{12,}")
FILE = b'{"prompt": "say abc", "target": "cba"}\n{"prompt": "say xyz", "target": "zyx"}\n{"prompt": "say abc "}\n'


@pytest.fixture
def dataset(fake_service: Service) -> str:
    loaded = load_bytes(FILE, "mine.jsonl", Bounds())
    here = fake_service.store.workspace()
    dataset = here.datasets.add("mine", loaded.examples).id
    first = here.examples.of(dataset)[0]
    assert HASH.search(first.id)  # else nothing is tried here
    edited = Example(f"{first.id}-v2", "please say abc", "cba", parent_id=first.id, edit="kinder")
    here.examples.add_one(dataset, edited)
    return dataset


def shown(app: AppTest) -> list[str]:
    """Every text on the page that a person reads."""
    texts: list[Any] = [one for box in (*app.selectbox, *app.multiselect) for one in box.options]
    for found in (app.markdown, app.caption, app.subheader, app.warning, app.error, app.info, app.success):
        texts += [one.value for one in found]
    texts += [one.label for one in (*app.button, *app.expander)]
    for frame in app.dataframe:
        texts += [*frame.value.columns, *(str(cell) for row in frame.value.to_numpy() for cell in row)]
    return [str(text).replace("\\", "") for text in texts]


@pytest.mark.parametrize(
    "page",
    ["salience", "dataset", "compare_prompts", "compare_models", "counterfactuals", "metrics", "template"],
)
def test_no_page_calls_a_row_by_a_hash(
    open_app: Callable[..., AppTest], dataset: str, page: str, fake_service: Service
) -> None:
    app = open_app(page, dataset=dataset)
    if page == "metrics":
        next(b for b in app.button if b.label.startswith("Run the model")).click().run()
    if page == "counterfactuals":
        next(b for b in app.button if b.label == "Make changes").click().run()
    for job in list(app.session_state["job box"].values() if "job box" in app.session_state else ()):
        assert job.wait(30)
    app.run()
    assert not app.exception
    assert [text for text in shown(app) if HASH.search(text)] == []


def test_names_are_told_apart_and_versions_say_so() -> None:
    rows = [
        Example("3f2a9c1d4e5b6a7f8090", "say abc"),
        Example("4f2a9c1d4e5b6a7f8090", "say abc"),
        Example("3f2a9c1d4e5b6a7f8090-v2", "say more", parent_id="3f2a9c1d4e5b6a7f8090"),
        Example("fewshot-mistake", "Judge."),
        Example("5f2a9c1d4e5b6a7f8090", "x", fields={"called": "id 7"}),
    ]
    assert list(row_names(rows).values()) == [
        "say abc",
        "say abc (2)",
        "say more (v2)",
        "fewshot-mistake",
        "id 7",
    ]
