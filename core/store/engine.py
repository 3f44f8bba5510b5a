"""Opens the database and brings its tables up to date.

SQLite runs in write-ahead mode, so readers never wait for a writer, and every writing transaction takes the
write lock when it begins (`BEGIN IMMEDIATE`): two writers then queue instead of one failing half-way.
A process that dies in a transaction leaves nothing of it behind. PostgreSQL needs nothing of that.

Migrations run under one lock, so that several processes may start at once. Alembic is imported only when the
database is not at the newest version, which keeps a usual start quick. Knows no record.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError

from core.errors import AppError

MIGRATIONS = Path(__file__).resolve().parent / "migrations"
_WRITES = {"whence_writes": True}
_MIGRATION_LOCK = 0x57484E43
_BUSY_SECONDS = 30


def head() -> str:
    """The newest migration's number, from the file names (`0001_first.py` is `0001`)."""
    return max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def open_database(url: str, data_dir: Path) -> Engine:
    """An engine on `url` (empty: SQLite at `data_dir/whence.sqlite3`), its tables up to date.

    Raises `AppError` when the address cannot be read, its driver is missing, or the server refuses.
    """
    if not url:
        data_dir.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{data_dir / 'whence.sqlite3'}"
    try:
        address = make_url(url)
        if address.drivername in ("postgresql", "postgres"):
            address = address.set(drivername="postgresql+psycopg")
        sqlite = address.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"connect_args": {"timeout": _BUSY_SECONDS}} if sqlite else {}
        engine = create_engine(address, pool_pre_ping=not sqlite, **options)
    except ModuleNotFoundError as error:
        raise AppError(
            f"The database in WHENCE_DATABASE_URL needs the package {error.name}, which is not installed.",
            hint="For PostgreSQL: pip install --no-deps -r requirements-postgres.lock.",
            code="database",
        ) from error
    except (ArgumentError, NoSuchModuleError) as error:
        raise AppError(
            "The address of the database (WHENCE_DATABASE_URL) cannot be used.",
            hint="It should look like postgresql://user:password@host/name, or be empty for SQLite.",
            code="database",
        ) from error
    if sqlite:
        _prepare_sqlite(engine)
    try:
        _migrate(engine)
    except OperationalError as error:
        engine.dispose()
        where = address.render_as_string(hide_password=True)
        raise AppError(
            f"The database at {where} does not answer or does not let Whence in.",
            hint="Check that it runs, and the user, password and name in WHENCE_DATABASE_URL.",
            code="database",
        ) from error
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that may write; all of it is kept, or nothing."""
    with engine.connect().execution_options(**_WRITES) as connection, connection.begin():
        yield connection


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(raw: Any, _record: Any) -> None:
        raw.isolation_level = None  # the driver begins nothing on its own: `_begin` does
        cursor = raw.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("whence_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _version(connection: Connection) -> str | None:
    try:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except DBAPIError:
        return None


def _migrate(engine: Engine) -> None:
    newest = head()
    with engine.connect() as connection:
        found = _version(connection)
    if found == newest:
        return
    if found is not None and found > newest:
        raise AppError(
            f"The database was made by a newer Whence (its tables are version {found}, "
            f"this one knows {newest}).",
            hint="Start the newer version, or choose another data folder with WHENCE_DATA_DIR.",
            code="database",
        )
    from alembic import command
    from alembic.config import Config

    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _MIGRATION_LOCK})
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
