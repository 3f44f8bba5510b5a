"""What an earlier version wrote opens with today's code: every row, answer, map, mark and run, at its old address."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from core import aggregate
from core.errors import AppError
from core.records import Example, GenerationParams, Message, ModelSpec, SalienceRequest
from core.store import Store, WorkList, generation_key, model_key
from tests.unit.store.earlier_version import ANSWER, CHAT_ANSWER, DATASET, HOSTED, MATRIX, WORK, lay_down

TINY = ModelSpec("tiny", "models/tiny")


@pytest.fixture(params=[False, True], ids=["once", "opened again"])
def opened(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    """The store over that version's files, brought up to date; and as it is found the time after."""
    lay_down(tmp_path)
    if request.param:
        Store("", tmp_path, bundle=tmp_path / "none").close()
    store = Store("", tmp_path, bundle=tmp_path / "none")
    yield store
    store.close()


def test_the_file_is_of_an_earlier_version(tmp_path: Path) -> None:
    lay_down(tmp_path)
    with closing(sqlite3.connect(tmp_path / "whence.sqlite3")) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [("0002",)]


def test_its_datasets_examples_and_lineage_are_there(opened: Store) -> None:
    workspace = opened.workspace()
    (dataset,) = workspace.datasets.all()
    assert (dataset.id, dataset.name, dataset.origin, dataset.rows) == (DATASET, "menu", "menu.csv", 3)
    assert dataset.columns == ("dish",) and dataset.problems == ((4, "no prompt"),)
    soup = Example("soup", "Eggs?", "no", "menu", tags=("short",), fields={"dish": "soup"})
    stew = Example("stew", "Naïve?\n한국어", None, "menu")
    edited = Example("soup-v2", "Eggs??", "no", "menu", parent_id="soup", edit="edited")
    assert workspace.examples.of(DATASET) == [soup, stew, edited]
    assert workspace.examples.lineage("soup-v2") == (soup, edited)
    assert workspace.examples.retired(DATASET) == ["gone"] and workspace.examples.get("gone").prompt == "out"


def test_its_marks_are_there(opened: Store) -> None:
    marks = opened.workspace().marks
    assert marks.starred() == {"stew"}
    assert marks.slices(DATASET) == {"odd ones": 2}
    assert marks.slice(DATASET, "odd ones") == ("soup", "soup-v2")
    assert marks.checks(DATASET).conditions == ()


def test_its_answers_are_found_by_the_same_questions(opened: Store) -> None:
    params = GenerationParams(max_new_tokens=32)
    assert generation_key("Eggs?", TINY, params) == ANSWER
    assert generation_key((Message("user", "Naïve?\n한국어"),), TINY, params) == CHAT_ANSWER
    found = opened.generation(ANSWER)
    assert found is not None and (found.text, found.model, found.params) == ("yes", TINY, params)
    assert found.tokens.ids.tolist() == list(range(8)) and found.tokens.prompt_len == 5
    assert found.logprob_nats.tolist() == pytest.approx([np.log(0.5)] * 3)
    table = opened.workspace().results.responses(DATASET).set_index("id")
    assert table.loc["soup", ["text", "send_as"]].tolist() == ["yes", "plain"]
    assert table.loc["stew", ["text", "send_as"]].tolist() == ["no", "chat"]


def test_its_metrics_are_there(opened: Store) -> None:
    (row,) = opened.workspace().results.metrics(DATASET).to_dict("records")
    assert (row["id"], row["name"], row["value"]) == ("soup", "exact_match", 0.0)
    assert (row["model_key"], row["generation_key"]) == (model_key(TINY), ANSWER)


def test_its_map_is_found_and_selects_exactly(opened: Store) -> None:
    asked = SalienceRequest(TINY, tuple(range(8)), 5, "grad_l2", ((5, 6), (6, 7), (7, 8)))
    assert asked.key == MATRIX
    found = opened.salience(MATRIX)
    assert found is not None and found.request == asked
    # Token i's inner products are i + 1 on the diagonal: two rows together give sqrt(2 (i + 1)).
    chosen = aggregate.select(found, np.array([1, 1, 0], np.float32))
    assert chosen.tolist() == pytest.approx([*np.sqrt(2 * np.arange(1, 6)), 0, 0, 0])


def test_its_run_goes_on_where_it_was(opened: Store) -> None:
    work = WorkList(opened.workspace())
    held = work.begin("generate", "k1", ["soup", "stew"], {})
    assert held.id == WORK and work.pending(WORK) == ("stew",)
    assert work.results(WORK) == {"soup": {"key": ANSWER}}


def test_what_is_added_now_stands_beside_it(opened: Store) -> None:
    workspace = opened.workspace()
    assert workspace.examples.add_one(DATASET, Example("soup", "once more")).id != "soup"
    assert [row.prompt for row in workspace.examples.of(DATASET)][-1] == "once more"


def test_a_hosted_workspace_is_claimed_by_its_old_link(tmp_path: Path) -> None:
    lay_down(tmp_path)
    store = Store("", tmp_path, bundle=tmp_path / "none", hosted=True)
    assert store.visitors.claim("cookie of a browser", HOSTED)
    mine = store.visitors.home("cookie of a browser", who="a browser")
    assert mine.id == HOSTED and mine.examples.get("own").prompt == "my own prompt"
    with pytest.raises(AppError, match="does not exist"):
        store.visitors.home("another", who="a browser").examples.get("own")
    store.close()
