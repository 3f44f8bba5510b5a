"""Copies of the database while it is written, before its tables change, once a day; and the way back."""

from __future__ import annotations

import random
import sqlite3
import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from core.errors import AppError
from core.records import Example
from core.store import Store, backup
from core.store.engine import FILE, MIGRATIONS, head, open_database, writing

NOW = 1_800_000_000.0


def opened(folder: Path, **options: object) -> Store:
    return Store("", folder, bundle=folder / "bundle", **options)  # type: ignore[arg-type]


def prompts(database: Path) -> set[str]:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    found = {prompt for (prompt,) in connection.execute("SELECT prompt FROM examples")}
    connection.close()
    return found


def test_a_copy_holds_what_was_kept_also_beside_a_writer(tmp_path: Path) -> None:
    store = opened(tmp_path)
    here = store.workspace()
    made = here.datasets.add("menu", [Example(f"e{i}", f"prompt {i}", None, "t") for i in range(2_000)])
    end = threading.Event()

    def write() -> None:
        number = 0
        while not end.is_set():
            here.examples.add(made.id, [Example(f"w{number}", f"while {number}", None, "t")])
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        copy = backup.make(tmp_path / FILE, why="daily")
    finally:
        end.set()
        writer.join()
    assert {f"prompt {i}" for i in range(2_000)} <= prompts(copy.path)
    assert copy.why == "daily" and [one.path for one in backup.listed(tmp_path / FILE)] == [copy.path]
    store.close()


def test_the_oldest_copies_of_a_kind_go_and_those_before_a_migration_do_not_push_out_the_daily_ones(
    tmp_path: Path,
) -> None:
    opened(tmp_path).close()
    for day in range(5):
        backup.make(tmp_path / FILE, why="daily", keep=3, now=NOW + day * 86_400)
    for version in ("0002", "0003"):
        backup.make(tmp_path / FILE, why=f"before-{version}", keep=3, now=NOW)
    kept = [(one.why, round((one.made_at - NOW) / 86_400)) for one in backup.listed(tmp_path / FILE)]
    assert kept == [("daily", 4), ("daily", 3), ("daily", 2), ("before-0003", 0), ("before-0002", 0)]


def test_what_was_removed_comes_back_and_what_stood_there_is_kept(tmp_path: Path) -> None:
    store = opened(tmp_path)
    made = store.workspace().datasets.add("menu", [Example("e", "dear", None, "t")])
    copy = backup.make(tmp_path / FILE, why="daily")
    store.workspace().datasets.remove(made.id)
    with pytest.raises(AppError, match="Another program has the database"):
        backup.restore(tmp_path / FILE, copy)
    store.close()
    aside = backup.restore(tmp_path / FILE, copy)
    assert aside is not None and prompts(aside) == set()
    store = opened(tmp_path)
    assert [e.prompt for e in store.workspace().examples.of(made.id)] == ["dear"]
    store.close()


@pytest.mark.parametrize("content", [b"", b"nonsense" * 1000])
def test_a_copy_takes_the_place_of_a_ruin_and_of_nothing(tmp_path: Path, content: bytes) -> None:
    store = opened(tmp_path)
    store.workspace().datasets.add("menu", [Example("e", "dear", None, "t")])
    copy = backup.make(tmp_path / FILE, why="daily")
    store.close()
    (tmp_path / FILE).write_bytes(content)
    aside = backup.restore(tmp_path / FILE, copy)
    assert aside is not None and aside.read_bytes() == content
    (tmp_path / FILE).unlink()
    assert backup.restore(tmp_path / FILE, copy) is None
    assert prompts(tmp_path / FILE) == {"dear"}


def test_a_spoiled_copy_is_not_put_in_place(tmp_path: Path) -> None:
    opened(tmp_path).close()
    copy = backup.make(tmp_path / FILE, why="daily")
    data = bytearray(copy.path.read_bytes())
    data[8192:40_960] = random.Random(0).randbytes(32_768)
    copy.path.write_bytes(data)
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(AppError, match="is damaged"):
        backup.restore(tmp_path / FILE, copy)
    assert (tmp_path / FILE).read_bytes() == before


def test_tables_change_only_after_a_copy_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_database("", tmp_path)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "-1")
    engine.dispose()

    def no_room(*_: object, **__: object) -> None:
        raise AppError("There is no room for a backup.", code="disk_full")

    with monkeypatch.context() as patch:
        patch.setattr(backup, "make", no_room)
        with pytest.raises(AppError, match="no room for a backup"):
            open_database("", tmp_path, backups=3)
    open_database("", tmp_path, backups=3).dispose()
    (copy,) = backup.listed(tmp_path / FILE)
    assert copy.why == f"before-{head()}"
    connection = sqlite3.connect(copy.path)
    assert connection.execute("SELECT version_num FROM alembic_version").fetchone()[0] < head()
    connection.close()


def test_the_first_daily_copy_comes_after_a_day_and_then_every_day(tmp_path: Path) -> None:
    store = opened(tmp_path)
    with writing(store.engine) as connection:
        connection.exec_driver_sql("UPDATE workspaces SET created_at = ?", (NOW,))
    store.close()
    database = tmp_path / FILE
    assert backup._until_due(database, NOW + 60) == 86_340
    backup.make(database, why="before-9999", now=NOW + 80_000)
    assert backup._until_due(database, NOW + 90_000) == 0
    backup.make(database, why="daily", now=NOW + 90_000)
    assert backup._until_due(database, NOW + 90_001) == 86_399


def test_a_store_that_is_due_makes_its_copy_by_itself(tmp_path: Path) -> None:
    store = opened(tmp_path)
    with writing(store.engine) as connection:
        connection.exec_driver_sql("UPDATE workspaces SET created_at = 0")
    store.close()
    told: list[AppError | None] = []
    done = threading.Event()
    daily = backup.Daily(tmp_path / FILE, 2, fault=lambda fault: (told.append(fault), done.set())[0])
    assert done.wait(20)
    daily.close()
    assert told == [None] and [one.why for one in backup.listed(tmp_path / FILE)] == ["daily"]


def test_what_was_removed_is_gone_from_the_copies_when_it_was_said(tmp_path: Path) -> None:
    store = Store("", tmp_path, bundle=tmp_path / "none", hosted=True, backups=2)
    try:
        assert store.copies_gone_by() is None  # there is no copy yet
        for why, moment in (("daily", NOW), ("before-0005", NOW - 40 * backup.DAY), ("daily", NOW + 3600)):
            backup.make(tmp_path / FILE, why=why, keep=9, now=moment)
        gone_by = store.copies_gone_by()
        assert gone_by == NOW + 3600 + 2 * backup.DAY
        backup.remove_older(tmp_path / FILE, 2, now=NOW + 10)
        assert {one.why for one in backup.listed(tmp_path / FILE)} == {"daily"}
        backup.remove_older(tmp_path / FILE, 2, now=gone_by + 1)
        assert backup.listed(tmp_path / FILE) == ()
    finally:
        store.close()


def test_on_ones_own_machine_no_copy_goes_by_its_age(tmp_path: Path) -> None:
    store = Store("", tmp_path, bundle=tmp_path / "none", backups=2)
    try:
        backup.make(tmp_path / FILE, why="daily", now=NOW)
        assert store.copies_gone_by() is None
    finally:
        store.close()
