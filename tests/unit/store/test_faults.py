"""A disk, a folder or a file that does not serve: each has its sentence, and a damaged file is left as it is."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from core.errors import AppError
from core.records import Example
from core.store import Store, generation_key
from core.store.engine import FILE, _look_whole, watch_of
from tests.unit.store.conftest import make_generation, make_matrix

NOBODY = 65534


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that another user may enter."""
    made = Path(tempfile.mkdtemp(prefix="whence-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def opened(folder: Path, **options: object) -> Store:
    return Store("", folder, bundle=folder / "bundle", **options)  # type: ignore[arg-type]


def filled(folder: Path, rows: int = 400) -> None:
    store = opened(folder)
    here = store.workspace()
    made = here.datasets.add(
        "menu", [Example(f"e{i}", f"prompt {i} " + "x" * 900, None, "t") for i in range(rows)]
    )
    for i in range(rows):
        generation = make_generation(f"p{i}", "cd")
        store.save_generation(
            generation_key(f"p{i}", generation.model, generation.params), generation, prompt=f"p{i}"
        )
    assert len(here.examples.of(made.id)) == rows
    store.close()


def mark(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Nobody:
    """Inside, this process is a user who owns nothing, so that permissions count (root passes them)."""

    def __enter__(self) -> None:
        if os.geteuid() == 0:
            os.seteuid(NOBODY)

    def __exit__(self, *_: object) -> None:
        if os.getuid() == 0:
            os.seteuid(0)


def test_a_full_disk_is_called_so_and_the_next_write_works_when_there_is_room(folder: Path) -> None:
    store = opened(folder)
    with store.engine.connect() as connection:
        (pages,) = connection.exec_driver_sql("PRAGMA page_count").one()
    store.engine.dispose()
    limit = {"pages": pages + 4}
    event.listen(
        store.engine,
        "connect",
        lambda raw, _: raw.execute(f"PRAGMA max_page_count = {limit['pages']}"),
    )
    here = store.workspace()
    rows = [Example(f"e{i}", "x" * 4000, None, "t") for i in range(100)]
    with pytest.raises(
        AppError, match=r"The disk is full: .*whence\.sqlite3 cannot grow \([\d,]+ bytes free\)"
    ) as told:
        here.datasets.add("menu", rows)
    assert told.value.code == "disk_full" and "Free some space" in told.value.hint
    assert [d.name for d in here.datasets.all()] == []
    limit["pages"] = 2**30
    store.engine.dispose()
    assert here.datasets.add("menu", rows).rows == 100
    store.close()


def test_a_folder_that_is_a_file(folder: Path) -> None:
    (folder / "file").write_text("mine")
    for place in (folder / "file", folder / "file" / "deeper"):
        with pytest.raises(AppError, match=f"but {folder}/file is a file") as told:
            opened(place)
        assert "WHENCE_DATA_DIR" in told.value.hint
    assert (folder / "file").read_text() == "mine"


def test_a_folder_that_may_not_be_written(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o555)
    with Nobody(), pytest.raises(AppError, match=r"may not|cannot be opened") as told:
        opened(closed)
    assert told.value.code in ("read_only", "storage") and str(closed) in told.value.message
    assert "WHENCE_DATABASE_URL" not in str(told.value)
    with Nobody(), pytest.raises(AppError, match=f"may not write to {closed / 'new'}"):
        opened(closed / "new")


def test_a_database_that_may_not_be_written(folder: Path) -> None:
    filled(folder, 3)
    (folder / FILE).chmod(0o444)
    folder.chmod(0o555)
    before = mark(folder / FILE)
    with Nobody(), pytest.raises(AppError, match=r"read-only|may not read or write") as told:
        opened(folder)
    assert FILE in told.value.message and mark(folder / FILE) == before
    folder.chmod(0o755)


@pytest.mark.parametrize(
    "content", [b"\x00" * 5000, b"hello, I am a letter", random.Random(1).randbytes(70_000)]
)
def test_a_file_that_is_no_database_is_left_as_it_is(folder: Path, content: bytes) -> None:
    (folder / FILE).write_bytes(content)
    with pytest.raises(AppError, match=r"is not a database\. It was left as it is") as told:
        opened(folder)
    assert told.value.code == "not_a_database"
    assert (folder / FILE).read_bytes() == content
    assert [path.name for path in folder.iterdir()] == [FILE]


def test_a_database_of_another_program_gets_no_tables_of_ours(folder: Path) -> None:
    with sqlite3.connect(folder / FILE) as connection:
        connection.execute("CREATE TABLE holidays (day TEXT)")
    connection.close()
    before = mark(folder / FILE)
    with pytest.raises(AppError, match="holds 1 tables of another program and none of Whence"):
        opened(folder)
    assert mark(folder / FILE) == before


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_file_is_never_written_again(folder: Path, seed: int) -> None:
    """Whole pages of noise anywhere behind the first: told when it is opened, or kept from harm if unseen."""
    filled(folder)
    path, chance = folder / FILE, random.Random(seed)
    data = bytearray(path.read_bytes())
    pages = len(data) // 4096
    for page in chance.sample(range(1, pages), 4):
        data[page * 4096 : (page + 1) * 4096] = chance.randbytes(4096)
    path.write_bytes(data)
    with pytest.raises(
        AppError, match=r"is damaged.*Nothing more is written into it.*doctor restore"
    ) as told:
        opened(folder)
    assert told.value.code == "damaged_database"
    assert path.read_bytes() == bytes(data)


def test_damage_that_shows_while_it_is_open_stops_all_writing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(folder)
    # As for a file too large to be read at each start, before the thread that reads it whole has come to the page.
    monkeypatch.setattr("core.store.engine._CHECKED_BYTES", 0)
    monkeypatch.setattr("core.store.engine._look_whole", lambda watch: None)
    path = folder / FILE
    data = bytearray(path.read_bytes())
    connection = sqlite3.connect(path)
    (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'examples'").fetchone()
    connection.close()
    data[(root - 1) * 4096 : root * 4096] = random.Random(0).randbytes(4096)
    path.write_bytes(data)
    store = opened(folder)
    with pytest.raises(AppError, match="is damaged"):
        store.workspace().examples.of(store.workspace().datasets.all()[0].id)
    before = mark(path)
    for write in (
        lambda: store.workspace().datasets.add("more", []),
        lambda: store.save_generation("0" * 64, make_generation(), prompt="ab"),
        lambda: store.workspace().marks.star(["e1"]),
    ):
        with pytest.raises(AppError, match="Nothing more is written into it"):
            write()
    assert (fault := store.fault()) is not None and fault.code == "damaged_database"
    store.close()
    assert mark(path) == before


def test_a_database_that_is_removed_or_lost_shows_in_the_health(folder: Path) -> None:
    store = opened(folder)
    assert store.fault() is None
    (folder / FILE).unlink()
    assert (fault := store.fault()) is not None and "is gone" in fault.message
    store.close()


def test_little_room_is_told_before_there_is_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened(folder, least_free_bytes=1000)
    usage = shutil.disk_usage(folder)
    for free, words in ((999, "nearly full: 999 bytes are free, at least 1,000"), (0, "The disk is full")):
        monkeypatch.setattr(
            "core.store.health.shutil.disk_usage", lambda _, free=free: usage._replace(free=free)
        )
        assert (fault := store.fault()) is not None and words in fault.message and fault.code == "disk_full"
    monkeypatch.setattr("core.store.health.shutil.disk_usage", lambda _: usage._replace(free=1000))
    assert store.fault() is None
    store.close()


def test_a_map_that_finds_no_room_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened(folder)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.store.bundle.os.fsync", full)
    with pytest.raises(AppError, match=r"The disk is full: .*salience"):
        store.save_salience(make_matrix())
    assert not list(folder.rglob("*.part"))
    store.close()


def test_a_wrong_address_of_sqlite_names_the_setting(folder: Path) -> None:
    for address in (f"sqlite:///{folder}/none/here.sqlite3", f"sqlite:///{folder}"):
        with pytest.raises(AppError, match=r"cannot be opened: (there is no folder|it is a folder)") as told:
            Store(address, folder / "data", bundle=folder)
        assert "WHENCE_DATABASE_URL" in told.value.hint


def test_a_large_damaged_file_is_found_beside_the_work(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(folder)
    path = folder / FILE
    data = bytearray(path.read_bytes())
    for page in range(
        len(data) // 4096 - 12, len(data) // 4096
    ):  # the last pages: the first writes do not meet them
        data[page * 4096 : page * 4096 + 200] = bytes(random.Random(page).randbytes(200))
    path.write_bytes(data)
    monkeypatch.setattr("core.store.engine._CHECKED_BYTES", 1000)
    is_open = threading.Event()
    monkeypatch.setattr(
        "core.store.engine._look_whole", lambda watch: is_open.wait(60) and _look_whole(watch)
    )
    store = opened(folder)
    looking = watch_of(store.engine).looking
    assert looking is not None
    is_open.set()
    looking.join(60)
    told = store.fault()
    assert told is not None and told.code == "damaged_database"
    before = mark(path)
    with pytest.raises(AppError, match="Nothing more is written into it"):
        store.workspace().datasets.add("late", [Example("e", "x", None, "t")])
    store.close()
    assert mark(path) == before
