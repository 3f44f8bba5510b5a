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
    made = first.workspace().add_dataset("menu", ROWS, origin="menu.jsonl", problems=[(3, "no prompt")])
    assert (made.rows, made.columns, made.problems) == (3, ("year", "prompt"), ((3, "no prompt"),))
    first.close()
    again = open_store()
    assert tuple(again.workspace().examples(made.id)) == ROWS
    assert again.workspace().dataset(made.id) == made


def test_the_table_of_a_dataset(store: Store) -> None:
    workspace = store.workspace()
    made = workspace.add_dataset("menu", ROWS)
    workspace.star(["c"])
    table = workspace.frame(made.id)
    assert list(table.columns) == [
        *("id", "prompt", "target", "source", "parent_id", "edit", "tags", "starred"),
        *("year", "prompt (from the file)"),
    ]
    assert list(table["prompt"]) == [row.prompt for row in ROWS]
    assert list(table["target"].isna()) == [False, True, False]
    assert list(table["tags"]) == ["", "hard, long", ""]
    assert list(table["starred"]) == [False, False, True]
    assert table["year"][0] == 1999
    assert workspace.starred() == {"c"}
    assert workspace.examples(made.id, limit=2) == list(ROWS[:2])


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
    table = workspace.frame(workspace.add_dataset("typed", rows).id)
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
    dataset = workspace.add_dataset("menu", ROWS)
    stamps = [workspace.stamp(dataset.id), workspace.stamp(dataset.id)]
    workspace.add_example(dataset.id, Example("d", "new"))
    stamps.append(workspace.stamp(dataset.id))
    made = make_generation("new", "answer")
    store.save_generation(generation_key("new", made.model, made.params), made, prompt="new")
    stamps.append(workspace.stamp(dataset.id))
    workspace.save_metrics("m", "bleu", {"a": 1.0})
    stamps.append(workspace.stamp(dataset.id))
    assert stamps[0] == stamps[1] and len(set(stamps)) == 4


def test_an_empty_dataset_has_a_table(store: Store) -> None:
    workspace = store.workspace()
    assert len(workspace.frame(workspace.add_dataset("none", []).id)) == 0


def test_edits_are_appended_and_the_family_is_found_from_any_member(store: Store) -> None:
    workspace = store.workspace()
    dataset = workspace.add_dataset("menu", ROWS)
    child = workspace.add_example(
        dataset.id, Example("a2", "Is it green?", parent_id="a", edit="red to green")
    )
    twin = workspace.add_example(dataset.id, Example("a3", "Is it blue?", parent_id="a", edit="red to blue"))
    grand = workspace.add_example(dataset.id, Example("a4", "Is it teal?", parent_id="a2"))
    family = ("a", "a2", "a3", "a4")
    for member in (child, twin, grand, ROWS[0]):
        assert tuple(found.id for found in workspace.lineage(member.id)) == family
    assert [found.id for found in workspace.lineage("b")] == ["b"]


def test_taken_ids_are_replaced_and_parents_follow(store: Store) -> None:
    workspace = store.workspace()
    first = workspace.add_dataset("one", ROWS)
    again = [*ROWS, Example("d", "new", parent_id="a")]
    second = workspace.add_dataset("two", again)
    kept = workspace.examples(second.id)
    assert [row.prompt for row in kept] == [row.prompt for row in again]
    assert {row.id for row in kept}.isdisjoint({"a", "b", "c"})
    assert kept[3].parent_id == kept[0].id
    assert [row.id for row in workspace.examples(first.id)] == ["a", "b", "c"]


def test_two_sessions_never_lose_each_others_examples(open_store: OpenStore) -> None:
    stores = [open_store() for _ in range(2)]
    dataset = stores[0].workspace().add_dataset("menu", ROWS)

    def edit(session: int) -> list[str]:
        mine = stores[session].workspace()
        same_ids = (Example(f"new{i}", f"{session}:{i}", parent_id="a") for i in range(20))
        return [mine.add_example(dataset.id, example).id for example in same_ids]

    with ThreadPoolExecutor(2) as pool:
        ids = [name for names in pool.map(edit, range(2)) for name in names]
    assert len(set(ids)) == 40
    for store in stores:
        found = {row.prompt for row in store.workspace().examples(dataset.id)[3:]}
        assert found == {f"{session}:{i}" for session in range(2) for i in range(20)}


def test_retired_examples_leave_the_table_but_not_their_links(store: Store) -> None:
    workspace = store.workspace()
    dataset = workspace.add_dataset("menu", ROWS)
    workspace.retire(["b"])
    assert [row.id for row in workspace.examples(dataset.id)] == ["a", "c"]
    assert workspace.example("b") == ROWS[1]
    assert workspace.dataset(dataset.id).revision > dataset.revision
    assert workspace.retired(dataset.id) == ["b"]
    workspace.retire(["b"], retired=False)
    assert workspace.retired(dataset.id) == []
    assert [row.id for row in workspace.examples(dataset.id)] == ["a", "b", "c"]


def test_slices_are_sets(store: Store) -> None:
    workspace = store.workspace()
    dataset = workspace.add_dataset("menu", ROWS)
    workspace.add_to_slice(dataset.id, "odd", ["a", "c"])
    workspace.add_to_slice(dataset.id, "odd", ["c", "b"])
    assert workspace.slices(dataset.id) == {"odd": 3}
    workspace.take_from_slice(dataset.id, "odd", ["b"])
    assert workspace.slice(dataset.id, "odd") == ("a", "c")
    workspace.remove_slice(dataset.id, "odd")
    assert workspace.slices(dataset.id) == {}
    with pytest.raises(AppError, match="needs a name"):
        workspace.add_to_slice(dataset.id, " ", ["a"])


def test_metrics_stand_beside_their_examples_and_are_replaced(store: Store) -> None:
    workspace = store.workspace()
    dataset = workspace.add_dataset("menu", ROWS)
    workspace.save_metrics("m", "bleu", {"a": 1.0, "b": None})
    workspace.save_metrics("m", "bleu", {"a": 2.5}, generation_keys={"a": "k"}, detail="sig")
    table = workspace.metrics(dataset.id)
    assert table["id"].tolist() == ["a", "b"]
    assert table["value"].fillna(-1).tolist() == [2.5, -1]
    assert table["generation_key"].tolist() == ["k", ""]


def test_removing_a_dataset_removes_what_hangs_on_it(store: Store) -> None:
    workspace = store.workspace()
    dataset = workspace.add_dataset("menu", ROWS)
    workspace.star(["a"])
    workspace.add_to_slice(dataset.id, "odd", ["a"])
    workspace.remove_dataset(dataset.id)
    assert workspace.datasets() == ()
    for missing in (lambda: workspace.dataset(dataset.id), lambda: workspace.example("a")):
        with pytest.raises(AppError, match="does not exist"):
            missing()
    kept = workspace.add_dataset("menu", ROWS)
    assert list(workspace.frame(kept.id)["starred"]) == [False] * 3


def test_shared_datasets_are_seen_by_all_and_own_edits_by_oneself(open_store: OpenStore) -> None:
    store = open_store(hosted=True)
    store.seed("samples", "Samples", ROWS)
    mine, yours = store.new_workspace(), store.new_workspace()
    mine.add_example("samples", Example("a", "my edit", parent_id="a"))
    assert [row.prompt for row in mine.examples("samples")] == [*(row.prompt for row in ROWS), "my edit"]
    assert tuple(yours.examples("samples")) == ROWS
    assert [found.rows for found in (*mine.datasets(), *yours.datasets())] == [4, 3]
    mine.star(["b"])
    assert not yours.frame("samples")["starred"].any()
    with pytest.raises(AppError, match="comes with the server"):
        mine.remove_dataset("samples")


def test_seeding_again_follows_the_file_and_keeps_old_rows_reachable(store: Store) -> None:
    store.seed("samples", "Samples", ROWS)
    store.seed("samples", "Samples", ROWS)
    workspace = store.workspace()
    assert workspace.dataset("samples").revision == 1
    store.seed("samples", "Samples", [*ROWS[1:], Example("d", "new")])
    assert [row.id for row in workspace.examples("samples")] == ["b", "c", "d"]
    assert workspace.example("a") == ROWS[0]
    store.seed("samples", "Samples", ROWS)
    assert [row.id for row in workspace.examples("samples")] == ["a", "b", "c"]


def test_hosted_workspaces_are_apart_and_cannot_be_guessed(open_store: OpenStore) -> None:
    store = open_store(hosted=True)
    mine, yours = store.new_workspace(), store.new_workspace()
    assert mine.id != yours.id and min(len(mine.id), len(yours.id)) >= 43
    dataset = mine.add_dataset("secret", ROWS)
    with pytest.raises(AppError, match="does not exist"):
        yours.dataset(dataset.id)
    assert yours.examples(dataset.id) == []
    with pytest.raises(AppError, match="does not exist"):
        yours.example("a")
    with pytest.raises(AppError, match="does not exist"):
        yours.add_example(dataset.id, Example("z", "intruder"))
    assert store.workspace(mine.id).examples(dataset.id) == list(ROWS)
    for guess in ("local", "shared", "", "x" * 43):
        with pytest.raises(AppError, match="workspace does not exist"):
            store.workspace(guess)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Quotas(examples=4), "holds 3 examples and may hold 4; 2 more"),
        (Quotas(stored_bytes=80), r"holds \d+ bytes and may hold 80"),
        (Quotas(prompt_chars=20), "has 30 characters; this server keeps up to 20"),
    ],
)
def test_limits_name_their_figures_and_leave_nothing_behind(
    open_store: OpenStore, limits: Quotas, message: str
) -> None:
    store = open_store(limits=limits)
    workspace = store.workspace()
    dataset = workspace.add_dataset("menu", ROWS)
    with pytest.raises(AppError, match=message):
        workspace.add_examples(dataset.id, [Example("d", "x" * 30), Example("e", "y" * 10)])
    assert len(workspace.examples(dataset.id)) == 3
    workspace.remove_dataset(dataset.id)
    workspace.add_dataset("menu", ROWS)


@pytest.mark.parametrize("text", ["a\x00b", "half \ud83d"])
def test_text_that_no_database_takes_is_refused_in_words(store: Store, text: str) -> None:
    dataset = store.workspace().add_dataset("menu", ROWS)
    workspace = store.workspace()
    for refused in (
        lambda: workspace.add_example(dataset.id, Example("d", text)),
        lambda: workspace.add_example(dataset.id, Example(text, "d")),
        lambda: workspace.add_dataset(text, []),
        lambda: workspace.add_to_slice(dataset.id, text, []),
    ):
        with pytest.raises(AppError, match="cannot be stored"):
            refused()
    assert workspace.add_dataset("menu", [], origin="odd \udcff name").origin == "odd ? name"
