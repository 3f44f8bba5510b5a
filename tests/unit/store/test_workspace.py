"""Datasets, examples, lineage and marks of one workspace; two sessions at work in it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from core.errors import AppError
from core.records import Example
from core.store import Quotas, Store, generation_key
from tests.unit.store.conftest import make_generation

OpenStore = Callable[..., Store]
ROWS = (
    Example("a", "Is it red? ", "", "demo", fields={"year": 1999, "prompt": "kept"}),
    Example("b", "<<x>>\n", None, "demo", tags=("hard", "long")),
    Example("c", "é 한국어 עברית 🙂", "yes", "other"),
)


def test_a_dataset_comes_back_exactly_and_after_a_restart(open_store: OpenStore) -> None:
    first = open_store()
    made = first.workspace().datasets.add("menu", ROWS, origin="menu.jsonl", problems=[(3, "no prompt")])
    assert (made.rows, made.columns, made.problems) == (3, ("year", "prompt"), ((3, "no prompt"),))
    first.close()
    again = open_store()
    assert tuple(again.workspace().examples.of(made.id)) == ROWS
    assert again.workspace().datasets.get(made.id) == made


def test_the_table_of_a_dataset(store: Store) -> None:
    workspace = store.workspace()
    made = workspace.datasets.add("menu", ROWS)
    workspace.marks.star(["c"])
    table = workspace.results.frame(made.id)
    assert list(table.columns) == [
        *("id", "prompt", "target", "source", "parent_id", "edit", "tags", "starred"),
        *("year", "prompt (from the file)"),
    ]
    assert list(table["prompt"]) == [row.prompt for row in ROWS]
    assert list(table["target"].isna()) == [False, True, False]
    assert list(table["tags"]) == ["", "hard, long", ""]
    assert list(table["starred"]) == [False, False, True]
    assert table["year"][0] == 1999
    assert workspace.marks.starred() == {"c"}
    assert workspace.examples.of(made.id, limit=2) == list(ROWS[:2])


def test_further_columns_keep_their_types(store: Store) -> None:
    cells: dict[str, list[object]] = {
        "whole": [1, 2, 3],
        "gaps": [1, None, 3],
        "mixed numbers": [1, 2.5, None],
        "texts": ["a", None, "c"],
        "flags": [True, False, None],
        "anything": [1, "a", {"b": 2}],
        "huge": [2**70, 1, 2],
        "huge gaps": [2**70, None, 2],
        "none": [None, None, None],
    }
    rows = [Example(f"e{i}", "p", fields={name: cells[name][i] for name in cells}) for i in range(3)]
    workspace = store.workspace()
    table = workspace.results.frame(workspace.datasets.add("typed", rows).id)
    kinds = {name: str(table[name].dtype) for name in cells}
    assert kinds == {
        **{"whole": "int64", "gaps": "Int64", "mixed numbers": "float64", "texts": "str"},
        **{
            "flags": "boolean",
            "anything": "object",
            "huge": "object",
            "huge gaps": "object",
            "none": "object",
        },
    }
    for name, column in cells.items():
        assert [None if pd.isna(c) is True else c for c in table[name].tolist()] == column


def test_the_stamp_changes_with_what_the_table_shows(store: Store) -> None:
    workspace = store.workspace()
    dataset = workspace.datasets.add("menu", ROWS)
    stamps = [workspace.results.stamp(dataset.id), workspace.results.stamp(dataset.id)]
    workspace.examples.add_one(dataset.id, Example("d", "new"))
    stamps.append(workspace.results.stamp(dataset.id))
    made = make_generation("new", "answer")
    store.save_generation(generation_key("new", made.model, made.params), made, prompt="new")
    stamps.append(workspace.results.stamp(dataset.id))
    workspace.results.save_metrics("m", "bleu", {"a": 1.0})
    stamps.append(workspace.results.stamp(dataset.id))
    assert stamps[0] == stamps[1] and len(set(stamps)) == 4


def test_an_empty_dataset_has_a_table(store: Store) -> None:
    workspace = store.workspace()
    assert len(workspace.results.frame(workspace.datasets.add("none", []).id)) == 0


def test_edits_are_appended_and_the_family_is_found_from_any_member(store: Store) -> None:
    workspace = store.workspace()
    dataset = workspace.datasets.add("menu", ROWS)
    child = workspace.examples.add_one(
        dataset.id, Example("a2", "Is it green?", parent_id="a", edit="red to green")
    )
    twin = workspace.examples.add_one(
        dataset.id, Example("a3", "Is it blue?", parent_id="a", edit="red to blue")
    )
    grand = workspace.examples.add_one(dataset.id, Example("a4", "Is it teal?", parent_id="a2"))
    family = ("a", "a2", "a3", "a4")
    for member in (child, twin, grand, ROWS[0]):
        assert tuple(found.id for found in workspace.examples.lineage(member.id)) == family
    assert [found.id for found in workspace.examples.lineage("b")] == ["b"]


def test_taken_ids_are_replaced_and_parents_follow(store: Store) -> None:
    workspace = store.workspace()
    first = workspace.datasets.add("one", ROWS)
    again = [*ROWS, Example("d", "new", parent_id="a")]
    second = workspace.datasets.add("two", again)
    kept = workspace.examples.of(second.id)
    assert [row.prompt for row in kept] == [row.prompt for row in again]
    assert {row.id for row in kept}.isdisjoint({"a", "b", "c"})
    assert kept[3].parent_id == kept[0].id
    assert [row.id for row in workspace.examples.of(first.id)] == ["a", "b", "c"]


def test_two_sessions_never_lose_each_others_examples(open_store: OpenStore) -> None:
    stores = [open_store() for _ in range(2)]
    dataset = stores[0].workspace().datasets.add("menu", ROWS)

    def edit(session: int) -> list[str]:
        mine = stores[session].workspace()
        same_ids = (Example(f"new{i}", f"{session}:{i}", parent_id="a") for i in range(20))
        return [mine.examples.add_one(dataset.id, example).id for example in same_ids]

    with ThreadPoolExecutor(2) as pool:
        ids = [name for names in pool.map(edit, range(2)) for name in names]
    assert len(set(ids)) == 40
    for store in stores:
        found = {row.prompt for row in store.workspace().examples.of(dataset.id)[3:]}
        assert found == {f"{session}:{i}" for session in range(2) for i in range(20)}


def test_retired_examples_leave_the_table_but_not_their_links(store: Store) -> None:
    workspace = store.workspace()
    dataset = workspace.datasets.add("menu", ROWS)
    workspace.examples.retire(["b"])
    assert [row.id for row in workspace.examples.of(dataset.id)] == ["a", "c"]
    assert workspace.examples.get("b") == ROWS[1]
    assert workspace.datasets.get(dataset.id).revision > dataset.revision
    assert workspace.examples.retired(dataset.id) == ["b"]
    workspace.examples.retire(["b"], retired=False)
    assert workspace.examples.retired(dataset.id) == []
    assert [row.id for row in workspace.examples.of(dataset.id)] == ["a", "b", "c"]


def test_slices_are_sets(store: Store) -> None:
    workspace = store.workspace()
    dataset = workspace.datasets.add("menu", ROWS)
    workspace.marks.add_to_slice(dataset.id, "odd", ["a", "c"])
    workspace.marks.add_to_slice(dataset.id, "odd", ["c", "b"])
    assert workspace.marks.slices(dataset.id) == {"odd": 3}
    workspace.marks.take_from_slice(dataset.id, "odd", ["b"])
    assert workspace.marks.slice(dataset.id, "odd") == ("a", "c")
    workspace.marks.remove_slice(dataset.id, "odd")
    assert workspace.marks.slices(dataset.id) == {}
    with pytest.raises(AppError, match="needs a name"):
        workspace.marks.add_to_slice(dataset.id, " ", ["a"])


def test_metrics_stand_beside_their_examples_and_are_replaced(store: Store) -> None:
    workspace = store.workspace()
    dataset = workspace.datasets.add("menu", ROWS)
    workspace.results.save_metrics("m", "bleu", {"a": 1.0, "b": None})
    workspace.results.save_metrics("m", "bleu", {"a": 2.5}, generation_keys={"a": "k"}, detail="sig")
    table = workspace.results.metrics(dataset.id)
    assert table["id"].tolist() == ["a", "b"]
    assert table["value"].fillna(-1).tolist() == [2.5, -1]
    assert table["generation_key"].tolist() == ["k", ""]


def test_removing_a_dataset_removes_what_hangs_on_it(store: Store) -> None:
    workspace = store.workspace()
    dataset = workspace.datasets.add("menu", ROWS)
    workspace.marks.star(["a"])
    workspace.marks.add_to_slice(dataset.id, "odd", ["a"])
    workspace.datasets.remove(dataset.id)
    assert workspace.datasets.all() == ()
    for missing in (lambda: workspace.datasets.get(dataset.id), lambda: workspace.examples.get("a")):
        with pytest.raises(AppError, match="does not exist"):
            missing()
    kept = workspace.datasets.add("menu", ROWS)
    assert list(workspace.results.frame(kept.id)["starred"]) == [False] * 3


def test_shared_datasets_are_seen_by_all_and_own_edits_by_oneself(open_store: OpenStore) -> None:
    store = open_store(hosted=True)
    store.seed("samples", "Samples", ROWS)
    mine, yours = store.new_workspace(), store.new_workspace()
    mine.examples.add_one("samples", Example("a", "my edit", parent_id="a"))
    assert [row.prompt for row in mine.examples.of("samples")] == [*(row.prompt for row in ROWS), "my edit"]
    assert tuple(yours.examples.of("samples")) == ROWS
    assert [found.rows for found in (*mine.datasets.all(), *yours.datasets.all())] == [4, 3]
    mine.marks.star(["b"])
    assert not yours.results.frame("samples")["starred"].any()
    with pytest.raises(AppError, match="comes with the server"):
        mine.datasets.remove("samples")


def test_seeding_again_follows_the_file_and_keeps_old_rows_reachable(store: Store) -> None:
    store.seed("samples", "Samples", ROWS)
    store.seed("samples", "Samples", ROWS)
    workspace = store.workspace()
    assert workspace.datasets.get("samples").revision == 1
    store.seed("samples", "Samples", [*ROWS[1:], Example("d", "new")])
    assert [row.id for row in workspace.examples.of("samples")] == ["b", "c", "d"]
    assert workspace.examples.get("a") == ROWS[0]
    store.seed("samples", "Samples", ROWS)
    assert [row.id for row in workspace.examples.of("samples")] == ["a", "b", "c"]


def test_hosted_workspaces_are_apart_and_cannot_be_guessed(open_store: OpenStore) -> None:
    store = open_store(hosted=True)
    mine, yours = store.new_workspace(), store.new_workspace()
    assert mine.id != yours.id and min(len(mine.id), len(yours.id)) >= 43
    dataset = mine.datasets.add("secret", ROWS)
    with pytest.raises(AppError, match="does not exist"):
        yours.datasets.get(dataset.id)
    assert yours.examples.of(dataset.id) == []
    with pytest.raises(AppError, match="does not exist"):
        yours.examples.get("a")
    with pytest.raises(AppError, match="does not exist"):
        yours.examples.add_one(dataset.id, Example("z", "intruder"))
    assert store.workspace(mine.id).examples.of(dataset.id) == list(ROWS)
    for guess in ("local", "shared", "", "x" * 43):
        with pytest.raises(AppError, match="workspace does not exist"):
            store.workspace(guess)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Quotas(examples=4), "holds 3 examples and may hold 4; 2 more"),
        (Quotas(stored_bytes=130), r"holds \d+ bytes and may hold 130"),
        (Quotas(prompt_chars=20), "has 30 characters; this server keeps up to 20"),
    ],
)
def test_limits_name_their_figures_and_leave_nothing_behind(
    open_store: OpenStore, limits: Quotas, message: str
) -> None:
    store = open_store(limits=limits)
    workspace = store.workspace()
    dataset = workspace.datasets.add("menu", ROWS)
    with pytest.raises(AppError, match=message):
        workspace.examples.add(dataset.id, [Example("d", "x" * 30), Example("e", "y" * 10)])
    assert len(workspace.examples.of(dataset.id)) == 3
    workspace.datasets.remove(dataset.id)
    workspace.datasets.add("menu", ROWS)


@pytest.mark.parametrize("text", ["a\x00b", "half \ud83d"])
def test_text_that_no_database_takes_is_refused_in_words(store: Store, text: str) -> None:
    dataset = store.workspace().datasets.add("menu", ROWS)
    workspace = store.workspace()
    for refused in (
        lambda: workspace.examples.add_one(dataset.id, Example("d", text)),
        lambda: workspace.examples.add_one(dataset.id, Example(text, "d")),
        lambda: workspace.datasets.add(text, []),
        lambda: workspace.marks.add_to_slice(dataset.id, text, []),
    ):
        with pytest.raises(AppError, match="cannot be stored"):
            refused()
    assert workspace.datasets.add("menu", [], origin="odd \udcff name").origin == "odd ? name"
