"""Whose a workspace is, links that share it, what goes and when; on either kind of database."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, text

from core.cause import Cause, CauseRequest, CauseSettings
from core.errors import AppError
from core.prompt_table import CellAnswer, PromptVersion, TableAnswerer, TablePlan
from core.records import Example, ModelSpec
from core.review import Opinion, newest
from core.store import Quotas, Store, WorkList, generation_key
from core.store.bundle import Bundle
from core.store.cause_files import CauseFiles
from core.store.engine import writing
from core.store.marks import DatasetChecks
from core.store.tables import metadata, workspaces
from core.store.takeout import takeout
from core.store.workspace import Workspace
from tests.unit.store.conftest import make_generation, make_matrix

DAY = 86_400


@pytest.fixture
def hosted(open_store: Callable[..., Store]) -> Store:
    return open_store(hosted=True)


def filled(here: Workspace, prompt: str = "ab") -> str:
    return here.datasets.add("menu", [Example("e1", prompt, "t", "s")]).id


def test_a_browser_comes_back_to_its_own_and_to_nobody_elses(hosted: Store) -> None:
    mine = hosted.visitors.home("browser a", who="a browser")
    dataset = filled(mine)
    assert hosted.visitors.home("browser a", who="a browser").id == mine.id
    other = hosted.visitors.home("browser b", who="a browser")
    assert other.id != mine.id
    with pytest.raises(AppError, match="does not exist"):
        other.datasets.get(dataset)


def test_a_link_of_an_earlier_version_is_claimed_once_by_who_has_kept_nothing(hosted: Store) -> None:
    old = hosted.new_workspace()  # as earlier versions made it: nobody holds it
    filled(old)
    busy = hosted.visitors.home("browser busy", who="a browser")
    filled(busy)
    assert not hosted.visitors.claim("browser busy", old.id)
    hosted.visitors.home("browser a", who="a browser")
    assert hosted.visitors.claim("browser a", old.id)
    assert hosted.visitors.home("browser a", who="a browser").id == old.id
    assert hosted.visitors.claim("browser a", old.id)  # opened again
    assert not hosted.visitors.claim("browser b", old.id)
    assert not hosted.visitors.claim("browser b", busy.id)
    for none in ("", "nowhere", "local", "shared"):
        assert not hosted.visitors.claim("browser b", none)


def test_an_account_takes_its_browsers_workspace_along_once(hosted: Store) -> None:
    mine = hosted.visitors.home("browser a", who="a browser")
    filled(mine)
    signed_in = hosted.visitors.home("account i s", who="me@a.example", instead_of="browser a")
    assert signed_in.id == mine.id
    after_sign_out = hosted.visitors.home("browser a", who="a browser")
    assert after_sign_out.id != mine.id
    elsewhere = hosted.visitors.home("account i s", who="me@a.example", instead_of="browser b")
    assert elsewhere.id == mine.id


def test_names_and_tokens_are_kept_as_digests_only(hosted: Store) -> None:
    mine = hosted.visitors.home("browser very-secret-name", who="a browser")
    _, token = hosted.visitors.share(mine, may_edit=False, days=1)
    with hosted.engine.connect() as connection:
        rows = [
            str(row)
            for table in ("holders", "shares", "deeds")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    assert rows and not any("very-secret-name" in row or token in row for row in rows)


def test_a_link_that_may_comment_adds_opinions_and_changes_nothing_else(hosted: Store) -> None:
    mine = hosted.visitors.home("browser a", who="a browser")
    dataset = filled(mine)
    _, token = hosted.visitors.share(mine, may_edit=False, may_comment=True, days=1)
    here, link = hosted.visitors.shared(token, who="somebody")
    assert (here.writable, here.commentable, link.may) == (False, True, "judge and comment")
    here.reviews.say(Opinion("verdict", "e1", "Ann", "wrong"))
    for write in WRITES.values():
        with pytest.raises(AppError, match="lets you look, and not change"):
            write(here, dataset)
    assert [one.value for one in mine.reviews.of_example("e1")] == ["wrong"]
    _, other = hosted.visitors.share(mine, may_edit=False, days=1)
    looking, _ = hosted.visitors.shared(other, who="somebody")
    assert not looking.commentable
    with pytest.raises(AppError, match="lets you look, and not change"):
        looking.reviews.say(Opinion("verdict", "e1", "Bob", "right"))
    hosted.visitors.revoke(mine, link.id)
    with pytest.raises(AppError, match="has ended or was revoked"):
        hosted.visitors.shared(token, who="somebody")


def test_opinions_are_added_and_never_changed(hosted: Store) -> None:
    mine = hosted.visitors.home("browser a", who="a browser")
    filled(mine)
    for value in ("right", "wrong"):
        mine.reviews.say(Opinion("verdict", "e1", " Ann ", value, table_id="t", column=0))
    said = mine.reviews.of_table("t")
    assert [(one.reviewer, one.value) for one in said] == [("Ann", "right"), ("Ann", "wrong")]
    assert [one.value for one in newest(said)] == ["wrong"]
    with pytest.raises(AppError, match="is gone"):
        mine.reviews.say(Opinion("verdict", "nowhere", "Ann", "right"))
    with pytest.raises(AppError, match="NUL"):
        mine.reviews.say(Opinion("comment", "e1", "Ann", text="\x00"))
    other = hosted.visitors.home("browser b", who="a browser")
    assert other.reviews.all() == []


WRITES: dict[str, Callable[[Workspace, str], object]] = {
    "add_dataset": lambda here, _: here.datasets.add("more", []),
    "remove_dataset": lambda here, dataset: here.datasets.remove(dataset),
    "add_examples": lambda here, dataset: here.examples.add_one(dataset, Example("e9", "new", None, "t")),
    "retire": lambda here, _: here.examples.retire(["e1"]),
    "star": lambda here, _: here.marks.star(["e1"]),
    "add_to_slice": lambda here, dataset: here.marks.add_to_slice(dataset, "hard", ["e1"]),
    "work": lambda here, _: WorkList(here).begin("kind", "key", ["e1"], {}),
}


@pytest.mark.parametrize("write", sorted(WRITES))
def test_a_link_that_may_look_shows_all_and_changes_nothing(hosted: Store, write: str) -> None:
    mine = hosted.visitors.home("browser a", who="a browser")
    dataset = filled(mine)
    _, token = hosted.visitors.share(mine, may_edit=False, days=1)
    here, link = hosted.visitors.shared(token, who="somebody")
    assert not here.writable and not link.may_edit and mine.writable
    assert [e.prompt for e in here.examples.of(dataset)] == ["ab"]
    with pytest.raises(AppError, match="lets you look, and not change") as told:
        WRITES[write](here, dataset)
    assert told.value.code == "forbidden"
    assert [e.prompt for e in mine.examples.of(dataset)] == ["ab"]


@pytest.mark.parametrize("write", sorted(WRITES))
def test_a_link_that_may_change_does_and_it_is_written_down(hosted: Store, write: str) -> None:
    mine = hosted.visitors.home("browser a", who="a browser")
    dataset = filled(mine)
    _, token = hosted.visitors.share(mine, may_edit=True, days=1)
    here, _ = hosted.visitors.shared(token, who="b, by a shared link")
    WRITES[write](here, dataset)
    deeds = hosted.visitors.deeds(mine)
    assert {deed.who for deed in deeds} <= {"a browser", "b, by a shared link"}
    if write in ("add_dataset", "remove_dataset", "add_examples"):
        assert deeds[0].who == "b, by a shared link"


def test_a_link_ends_by_its_day_and_at_once_when_it_is_revoked(hosted: Store) -> None:
    mine = hosted.visitors.home("browser a", who="a browser")
    first, token = hosted.visitors.share(mine, may_edit=True, days=1)
    _, other = hosted.visitors.share(mine, may_edit=True, days=7)
    assert {link.id for link in hosted.visitors.links(mine)} >= {first.id}
    stranger = hosted.visitors.home("browser b", who="a browser")
    hosted.visitors.revoke(stranger, first.id)
    hosted.visitors.shared(token, who="x")
    hosted.visitors.revoke(mine, first.id)
    with writing(hosted.engine) as connection:
        connection.execute(text("UPDATE shares SET ends_at = :now"), {"now": time.time() - 1})
    for dead in (token, other, "", "x" * 43, mine.id):
        with pytest.raises(AppError, match="ended or was revoked") as told:
            hosted.visitors.shared(dead, who="x")
        assert told.value.code == "missing"
    assert hosted.visitors.links(mine) == ()


def answered(store: Store, prompt: str) -> tuple[str, str, str]:
    """An answer to `prompt`, a map of it and its cause are kept; their keys."""
    generation = make_generation(prompt, "cd")
    key = generation_key(prompt, generation.model, generation.params)
    store.save_generation(key, generation, prompt=prompt)
    matrix = make_matrix(tokens=len(prompt) + 2)
    request = type(matrix.request)(
        **{f: getattr(matrix.request, f) for f in ("model", "prompt_len", "method", "targets", "options")},
        ids=tuple(map(int, generation.tokens.ids)),
    )
    matrix = type(matrix)(request, matrix.values, matrix.gram, matrix.signed, matrix.units, matrix.note)
    store.save_salience(matrix)
    length = len(request.ids)
    asked = CauseRequest(
        request.model,
        request.ids,
        length - 2,
        ((length - 1, length),),
        ((0, length - 2),),
        (),
        CauseSettings(),
    )
    store.causes.put(Cause(asked, "none", (), (), None, (), None, "", False, 1, 0.1))
    return key, request.key, asked.key


def test_everything_of_mine_goes_and_nothing_of_others(hosted: Store) -> None:
    mine, other = (hosted.visitors.home(f"browser {n}", who="a browser") for n in "ab")
    filled(mine, "only mine")
    mine.marks.star(["e1"])
    filled(mine, "both of us")
    filled(other, "both of us")
    own, own_map, own_cause = answered(hosted, "only mine")
    common, common_map, common_cause = answered(hosted, "both of us")
    _, token = hosted.visitors.share(mine, may_edit=True, days=1)
    assert hosted.salience(own_map) is not None and hosted.causes.get(own_cause) is not None
    hosted.visitors.forget(mine)
    assert hosted.generation(own) is None and hosted.salience(own_map) is None
    assert hosted.generation(common) is not None and hosted.salience(common_map) is not None
    assert hosted.causes.get(own_cause) is None and hosted.causes.get(common_cause) is not None
    assert len(other.datasets.all()) == 1
    with pytest.raises(AppError):
        hosted.visitors.shared(token, who="x")
    with hosted.engine.connect() as connection:
        for table in ("examples", "stars", "deeds", "shares", "holders"):
            query = text(f"SELECT count(*) FROM {table} WHERE workspace_id = :w")
            assert connection.execute(query, {"w": mine.id}).scalar() == 0, table
    assert hosted.visitors.home("browser a", who="a browser").id != mine.id


def test_what_nobody_opened_for_long_goes_and_what_was_opened_stays(open_store: Callable[..., Store]) -> None:
    store = open_store(hosted=True, keep_days=30)
    old, fresh = (store.visitors.home(f"browser {n}", who="a browser") for n in "ab")
    dataset, kept = filled(old, "old"), filled(fresh, "fresh")
    key, _, _ = answered(store, "old")
    with writing(store.engine) as connection:
        change = text("UPDATE workspaces SET seen_at = :then WHERE id = :w")
        connection.execute(change, {"then": time.time() - 31 * DAY, "w": old.id})
    store.swept_at = 0
    store.visitors.forget_unopened()
    assert fresh.datasets.get(kept).rows == 1 and store.generation(key) is None
    with pytest.raises(AppError):
        old.datasets.get(dataset)
    with pytest.raises(AppError):
        store.workspace(old.id)
    assert store.visitors.home("browser a", who="a browser").id != old.id


def test_nothing_goes_where_nothing_is_set(hosted: Store) -> None:
    here = hosted.visitors.home("browser a", who="a browser")
    with writing(hosted.engine) as connection:
        connection.execute(text("UPDATE workspaces SET seen_at = 0"))
    hosted.visitors.forget_unopened()
    assert hosted.visitors.home("browser a", who="a browser").id == here.id


def test_all_workspaces_together_are_bounded_and_it_is_told_before(open_store: Callable[..., Store]) -> None:
    store = open_store(hosted=True, limits=Quotas(all_bytes=1000, all_workspaces=4))
    one, two = (store.visitors.home(f"browser {n}", who="a browser") for n in "ab")
    assert store.visitors.nearly_full(one) == ""
    filled(one, "x" * 500)
    filled(two, "x" * 320)
    assert "This site holds 8" in store.visitors.nearly_full(
        one
    ) and "of at most 1,000" in store.visitors.nearly_full(two)
    with pytest.raises(
        AppError, match=r"This site holds \d+ bytes of texts, answers and maps and takes at most 1,000"
    ) as told:
        filled(two, "x" * 300)
    assert told.value.code == "limit" and len(two.datasets.all()) == 1
    store.visitors.home("browser c", who="a browser")
    with pytest.raises(AppError, match="holds 4 workspaces and takes at most 4"):
        store.visitors.home("browser d", who="a browser")


def test_what_is_taken_along_loads_again(hosted: Store, tmp_path: Path) -> None:
    here = hosted.visitors.home("browser a", who="a browser")
    dataset = here.datasets.add(
        "menu", [Example("e1", "ab", "t", "s", fields={"n": 1}), Example("e2", "가", None, "s")]
    )
    here.marks.star(["e1"])
    here.marks.add_to_slice(dataset.id, "hard", ["e2"])
    here.marks.save_checks(dataset.id, DatasetChecks(({"check": "contains"},), ("said",)))
    here.results.save_metrics("m", "verdict", {"e1": 1.0}, generation_keys={"e1": "k"}, detail="d")
    WorkList(here).begin("generate", "k", ["e1"], {})
    key, map_key, cause_key = answered(hosted, "ab")
    other = hosted.visitors.home("browser b", who="a browser")
    filled(other, "not mine")
    not_mine = answered(hosted, "not mine")
    data = takeout(here, hosted)
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        held = {n: file.read(n).decode() for n in file.namelist() if n.endswith((".jsonl", ".txt"))}
        file.extractall(tmp_path / "taken")
    rows = [json.loads(line) for line in held["examples.jsonl"].splitlines()]
    assert [(r["id"], r["prompt"], r["target"]) for r in rows] == [("e1", "ab", "t"), ("e2", "가", None)]
    assert json.loads(held["answers.jsonl"])["text"] == "cd"
    assert json.loads(json.loads(held["checks.jsonl"])["conditions"]) == [{"check": "contains"}]
    assert json.loads(held["metrics.jsonl"])["name"] == "verdict"
    for name, words in {"stars": "e1", "slices": "hard", "slice_examples": "e2", "run_rows": "e1"}.items():
        assert words in held[f"{name}.jsonl"]
    assert "added the dataset" in held["deeds.jsonl"]
    assert not any("not mine" in words for words in held.values())

    computed = Bundle(tmp_path / "taken" / "computed")
    before, after = hosted.generation(key), computed.generation(key)
    assert before is not None and after is not None and after.text == before.text
    np.testing.assert_array_equal(after.logprob_nats, before.logprob_nats)
    kept, read = hosted.salience(map_key), computed.salience(map_key)
    assert kept is not None and read is not None
    np.testing.assert_array_equal(read.values, kept.values)
    causes = CauseFiles(tmp_path / "nowhere", computed.folder)
    cause, mine = causes.get(cause_key), hosted.causes.get(cause_key)
    assert cause is not None and mine is not None and cause.request == mine.request
    assert computed.generation(not_mine[0]) is None and computed.salience(not_mine[1]) is None
    assert causes.get(not_mine[2]) is None


def test_every_table_of_a_workspace_is_in_the_file_or_is_named_here(hosted: Store) -> None:
    """A table that is added later must be thought of: what it holds may be somebody's words."""
    called = {"work": "runs", "work_items": "run_rows", "generations": "answers", "prompt_tables": "tables"}
    not_theirs = {
        "workspaces",  # the workspace itself
        "holders", "shares",  # keys of browsers and links: secrets, not words
    }  # fmt: skip
    here = hosted.visitors.home("browser a", who="a browser")
    with zipfile.ZipFile(io.BytesIO(takeout(here, hosted))) as file:
        held = {name.removesuffix(".jsonl") for name in file.namelist()}
    missing = {called.get(name, name) for name in metadata.tables} - held - not_theirs
    assert not missing, missing


def test_tables_and_what_people_said_are_taken_along_and_count(hosted: Store) -> None:
    here = hosted.visitors.home("browser a", who="a browser")
    filled(here)
    (dataset,) = [one for one in here.datasets.all() if not one.shared]
    plan = TablePlan(dataset.id, (PromptVersion("v1", "{prompt}"),), (TableAnswerer(ModelSpec("m", "m")),))
    table = here.tables.keep(plan)
    here.tables.save(table.id, [CellAnswer("e1", 0, 0, "mine own answer", "right", "it fits")])
    with zipfile.ZipFile(io.BytesIO(takeout(here, hosted))) as file:
        assert "v1" in file.read("tables.jsonl").decode()
        assert json.loads(file.read("table_cells.jsonl"))["answer"] == "mine own answer"
    hosted._computed = (0, -1e9)
    assert hosted.computed_bytes() >= len("mine own answer" + "it fits")


def test_what_is_too_much_to_take_along_is_told(hosted: Store) -> None:
    here = hosted.visitors.home("browser a", who="a browser")
    filled(here)
    answered(hosted, "ab")
    with zipfile.ZipFile(io.BytesIO(takeout(here, hosted, most_bytes=10))) as file:
        assert "Left out, because the file would be too large: 2 maps" in file.read("README.txt").decode()
        assert not [name for name in file.namelist() if "salience" in name]


def test_answers_maps_and_fields_count_against_the_whole_site(open_store: Callable[..., Store]) -> None:
    store = open_store(hosted=True, limits=Quotas(all_bytes=14_000))
    here = store.visitors.home("browser a", who="a browser")
    filled(here)
    assert store.visitors.nearly_full(here) == ""
    for number in range(12):
        answered(store, f"a prompt that is long enough, number {number}")
    store._computed = (0, -1e9)  # a minute later
    held = store.computed_bytes()
    assert held > 11_200
    assert "texts, answers and maps" in store.visitors.nearly_full(here)
    with pytest.raises(AppError, match="bytes of texts, answers and maps and takes at most 14,000"):
        here.datasets.add("wide", [Example("f", "x", None, "s", fields={"long": "y" * 20_000})])
    made = here.datasets.add("wide", [Example("f", "x", None, "s", fields={"long": "y" * 100})])
    weight = select(workspaces.c.stored_bytes).where(workspaces.c.id == here.id)
    with store.engine.connect() as connection:
        before = connection.execute(weight).scalar_one()
    here.datasets.remove(made.id)
    with store.engine.connect() as connection:
        assert before - connection.execute(weight).scalar_one() > 100


def test_a_workspace_charged_by_an_earlier_version_never_goes_below_nothing(hosted: Store) -> None:
    here = hosted.visitors.home("browser a", who="a browser")
    made = here.datasets.add("wide", [Example("f", "x", None, "s", fields={"long": "y" * 100})])
    with writing(hosted.engine) as connection:
        connection.execute(text("UPDATE workspaces SET stored_bytes = 2"))
    here.datasets.remove(made.id)
    with hosted.engine.connect() as connection:
        query = select(workspaces.c.stored_bytes).where(workspaces.c.id == here.id)
        assert connection.execute(query).scalar_one() == 0


def test_who_marked_ran_and_judged_is_written_down(hosted: Store) -> None:
    here = hosted.visitors.home("account a", who="ada@example.org")
    dataset = filled(here)
    here.marks.star(["e1"])
    here.marks.star(["e1"], on=False)
    here.marks.add_to_slice(dataset, "hard", ["e1"])
    here.marks.take_from_slice(dataset, "hard", ["e1"])
    here.marks.remove_slice(dataset, "hard")
    here.marks.save_checks(dataset, DatasetChecks(({},), ()))
    WorkList(here).begin("judge", "k", ["e1"], {}, "A model judges")
    here.did("ran tiny on example e1")
    here.examples.retire(["e1"])
    said = [(deed.who, deed.what) for deed in hosted.visitors.deeds(here)]
    assert {who for who, _ in said} == {"ada@example.org"}
    assert [what for _, what in said][:-1] == [
        "removed example e1",
        "ran tiny on example e1",
        "ran “A model judges” over 1 rows",
        f"set 1 checks for the dataset {dataset}",
        "removed the slice “hard”",
        "took example e1 out of the slice “hard”",
        "put example e1 into the slice “hard”",
        "took the star from example e1",
        "starred example e1",
    ]


def test_only_the_newest_deeds_are_kept(hosted: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.store.scope.MOST_DEEDS", 3)
    here = hosted.visitors.home("browser a", who="a browser")
    for number in range(6):
        here.datasets.add(f"d{number}", [])
    assert [deed.what.split("“")[1].split("”")[0] for deed in hosted.visitors.deeds(here)] == [
        "d5",
        "d4",
        "d3",
    ]
