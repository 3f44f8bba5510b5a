"""Opening a database: migrations equal the tables, many may open at once, what cannot be opened is told."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from core.errors import AppError
from core.settings import Settings
from core.store import Quotas, Store
from core.store import engine as engine_module
from core.store.engine import MIGRATIONS, head, open_database, writing
from core.store.tables import metadata


def test_migrations_make_exactly_the_tables_and_take_them_away(tmp_path: Path, database_url: str) -> None:
    engine = open_database(database_url, tmp_path)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    engine.dispose()


def test_many_open_an_empty_database_at_once(tmp_path: Path, database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        engines = list(pool.map(lambda _: open_database(database_url, tmp_path), range(4)))
    for engine in engines:
        with engine.connect() as connection:
            assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == head()
        engine.dispose()


def test_the_write_ahead_log_waits_for_who_holds_the_file() -> None:
    class Held:
        """A cursor of a file that somebody else lets go of at the third try."""

        tries = 0

        def execute(self, _statement: str) -> None:
            self.tries += 1
            if self.tries < 3:
                busy = sqlite3.OperationalError("database is locked")
                busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
                raise busy

    held = Held()
    engine_module._write_ahead(held)  # type: ignore[arg-type]
    assert held.tries == 3


def test_sqlite_writes_ahead_and_keeps_references(tmp_path: Path) -> None:
    engine = open_database("", tmp_path)
    with engine.connect() as connection:
        pragmas = ("journal_mode", "foreign_keys", "synchronous")
        assert [connection.execute(text(f"PRAGMA {name}")).scalar() for name in pragmas] == ["wal", 1, 1]
    engine.dispose()


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    engine = open_database("", tmp_path)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(
        AppError, match=rf"newer Whence \(its tables are version 9999, this one knows {head()}\)"
    ):
        open_database("", tmp_path)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "cannot be used"),
        ("nosuch://host/name", "cannot be used"),
        ("postgresql://me:secret@127.0.0.1:1/none", "does not answer or does not let Whence in"),
    ],
)
def test_addresses_that_do_not_work(tmp_path: Path, url: str, message: str) -> None:
    if url.startswith("postgresql"):
        pytest.importorskip(
            "psycopg", reason="PostgreSQL's driver is not installed: requirements-postgres.lock"
        )
    with pytest.raises(AppError, match=message) as caught:
        open_database(url, tmp_path)
    assert "secret" not in str(caught.value)


def test_a_driver_that_is_not_installed_is_named(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="needs the package cx_Oracle, which is not installed"):
        open_database("oracle+cx_oracle://me:secret@127.0.0.1:1/none", tmp_path)


def test_the_store_follows_the_settings(tmp_path: Path) -> None:
    for mode, limits in (("local", Quotas(prompt_chars=9)), ("hosted", Quotas(5, 9, 1234, 5678, 7))):
        chosen = Settings(
            mode=mode,  # type: ignore[arg-type]
            data_dir=tmp_path / mode,
            MAX_EXAMPLES=5,
            max_prompt_chars=9,
            max_stored_bytes=1234,
            max_all_bytes=5678,
            max_workspaces=7,
        )
        store = Store.of(chosen)
        assert (store.hosted, store.limits) == (mode == "hosted", limits)
        store.close()
