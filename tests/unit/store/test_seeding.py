"""The operator's datasets: read once, again when the file changed, kept when it is gone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.datasets import counts_of
from core.settings import Settings
from core.store import Store, seeding


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store("", tmp_path / "data", bundle=tmp_path / "bundle")
    yield made
    made.close()


def seed(store: Store, file: Path) -> list[str]:
    seeding.seed(store, Settings(DATASETS=f"menu:{file}", _env_file=None)).join()
    (dataset,) = store.workspace().datasets.all()
    return [example.prompt for example in store.workspace().examples.of(dataset.id)]


def test_a_file_is_read_again_only_when_it_changed(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "menu.txt"
    file.write_text("one\n", encoding="utf-8")
    assert seed(store, file) == ["one"]
    read: list[str] = []
    plain = seeding.load_startup
    monkeypatch.setattr(seeding, "load_startup", lambda *a, **k: (read.append("again"), plain(*a, **k))[1])
    assert seed(store, file) == ["one"] and read == []
    os.utime(file, (1, 1))
    assert seed(store, file) == ["one"] and read == ["again"]
    assert seed(store, file) == ["one"] and read == ["again"]
    file.write_text("one\ntwo\n", encoding="utf-8")
    assert seed(store, file) == ["one", "two"]


def test_a_file_that_is_gone_leaves_what_was_read(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "menu.txt"
    file.write_text("one\n", encoding="utf-8")
    seed(store, file)
    file.unlink()
    assert seed(store, file) == ["one"]
    assert "cannot be read" in caplog.text


def test_a_file_that_was_never_there_is_listed_with_the_reason(store: Store, tmp_path: Path) -> None:
    assert seed(store, tmp_path / "none.txt") == []
    (dataset,) = store.workspace().datasets.all()
    assert "cannot be read" in dataset.problems[0][1]
    file = tmp_path / "none.txt"
    file.write_text("there now\n", encoding="utf-8")
    assert seed(store, file) == ["there now"]
    (dataset,) = store.workspace().datasets.all()
    assert dataset.problems == ()


def test_a_list_that_makes_no_sense_is_logged(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    seeding.seed(store, Settings(DATASETS="a:x.csv,a:y.csv", _env_file=None)).join()
    assert store.workspace().datasets.all() == ()
    assert "names “a” twice" in caplog.text


def test_the_cut_of_max_examples_is_told_and_raising_it_takes_effect_at_the_next_start(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "menu.txt"
    file.write_text("one\ntwo\nthree\n", encoding="utf-8")

    def start(most: int) -> tuple[list[str], str]:
        seeding.seed(store, Settings(DATASETS=f"menu:{file}", MAX_EXAMPLES=most, _env_file=None)).join()
        (dataset,) = store.workspace().datasets.all()
        counts = counts_of(dataset.imported)
        assert counts is not None
        return [one.prompt for one in store.workspace().examples.of(dataset.id)], counts.sentence()

    prompts, told = start(2)
    assert prompts == ["one", "two"]
    assert told == "3 rows in the file, 2 used, 1 left out (1: past the first 2 (MAX_EXAMPLES))."
    (logged,) = [one for one in caplog.records if one.levelname == "WARNING"]
    assert logged.getMessage() == f"DATASETS, menu: {told}"
    assert start(5) == (["one", "two", "three"], "3 rows in the file, 3 used, none left out.")
    assert start(1)[0] == ["one"]  # and lowering it, too
