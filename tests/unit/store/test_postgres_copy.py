"""Copies of a PostgreSQL database: made by its own program, put back by it, and told where that is not there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import make_url

from core.errors import AppError
from core.records import Example
from core.store import Store, postgres_copy
from core.store.engine import MIGRATIONS, head, writing

NOW = 1_800_000_000.0


@pytest.mark.postgres
def test_a_copy_holds_what_was_there_and_comes_back(postgres_url: str, tmp_path: Path) -> None:
    if shutil.which("pg_dump") is None:
        pytest.skip("pg_dump is not installed")
    store = Store(postgres_url, tmp_path, bundle=tmp_path / "none")
    made = store.workspace().datasets.add("menu", [Example("e1", "dear", None, "s")])
    copies = [
        postgres_copy.make(make_url(postgres_url), tmp_path / "b", why="by-hand", keep=2, now=NOW + day)
        for day in range(3)
    ]
    assert [path.exists() for path in copies] == [False, True, True]
    store.workspace().datasets.remove(made.id)
    store.close()
    subprocess.run(["pg_restore", "--clean", "--if-exists", "-d", postgres_url, str(copies[-1])], check=True)
    again = Store(postgres_url, tmp_path, bundle=tmp_path / "none")
    assert [one.prompt for one in again.workspace().examples.of(made.id)] == ["dear"]
    again.close()


@pytest.mark.postgres
@pytest.mark.parametrize("there", [True, False])
def test_before_the_tables_change_there_is_a_copy_or_the_log_says_why_not(
    postgres_url: str,
    tmp_path: Path,
    there: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if shutil.which("pg_dump") is None:
        pytest.skip("pg_dump is not installed")
    store = Store(postgres_url, tmp_path, bundle=tmp_path / "none")
    made = store.workspace().datasets.add("menu", [Example("e1", "dear", None, "s")])
    with writing(store.engine) as connection:  # as the version before left it
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.downgrade(config, "-1")
    store.close()
    if not there:
        monkeypatch.setattr(postgres_copy, "PROGRAM", "no-such-program")
    again = Store(postgres_url, tmp_path, bundle=tmp_path / "none", backups=2)
    assert len(again.workspace().examples.of(made.id)) == 1
    again.close()
    copies = list((tmp_path / "backups").glob(f"whence-*-before-{head()}.dump"))
    assert len(copies) == there
    assert ("change without a copy" in caplog.text) == (not there)


def test_without_the_program_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_copy, "PROGRAM", "no-such-program")
    with pytest.raises(AppError, match="needs no-such-program, which is not here"):
        postgres_copy.make(make_url("postgresql://u:secret@127.0.0.1:1/x"), tmp_path, why="by-hand")


def test_a_server_that_does_not_answer_is_told_and_no_half_copy_stays(tmp_path: Path) -> None:
    if shutil.which("pg_dump") is None:
        pytest.skip("pg_dump is not installed")
    with pytest.raises(AppError, match="could not copy the database") as told:
        postgres_copy.make(make_url("postgresql://u:secret@127.0.0.1:1/x"), tmp_path, why="by-hand")
    assert "secret" not in str(told.value) and list(tmp_path.iterdir()) == []
