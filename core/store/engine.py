"""Opens the database and brings its tables up to date.

SQLite runs in write-ahead mode, so readers never wait for a writer, and every writing transaction takes the
write lock when it begins (`BEGIN IMMEDIATE`): two writers then queue instead of one failing half-way.
A process that dies in a transaction leaves nothing of it behind. PostgreSQL needs nothing of that.

Migrations run under one lock, so that several processes may start at once. Alembic is imported only when the
database is not at the newest version, which keeps a usual start quick. Knows no record.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError

from core.errors import AppError
from core.store import backup, faults, postgres_copy
from core.store.faults import Place

MIGRATIONS = Path(__file__).resolve().parent / "migrations"
_WRITES = {"whence_writes": True}
_MIGRATION_LOCK = 0x57484E43
_BUSY_SECONDS = 30
_AGAIN_SECONDS = 0.02
_CONNECT_SECONDS = 10
_CHECKED_BYTES = 256 * 1024 * 1024
"""A larger file does not keep a start waiting: it is read whole beside the work, and by the daily backup."""
FILE = "whence.sqlite3"
logger = logging.getLogger(__name__)
LOOKS_ONLY = "This link lets you look, and not change anything."
"""Of a shared link that may not write."""


def head() -> str:
    """The newest migration's number, from the file names (`0001_first.py` is `0001`)."""
    return max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def open_database(url: str, data_dir: Path, *, backups: int = 0) -> Engine:
    """An engine on `url` (empty: SQLite at `data_dir/whence.sqlite3`), its tables up to date.

    With `backups`, a SQLite file is backed up before its tables change (`core.store.backup`). Every later fault
    of the database itself comes out as an `AppError` too, and into a damaged file nothing more is written.
    Raises `AppError` when the address cannot be read, its driver is missing, the file is damaged or none of
    Whence's, or the disk or the server refuses.
    """
    if not url:
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise faults.of_folder(error, data_dir) from error
    engine, place = connector(url, data_dir)
    path, sqlite = place.path, engine.dialect.name == "sqlite"
    watch = Watch(place)
    _watches[engine] = watch
    _tell_faults(engine, watch)
    if sqlite:
        _prepare_sqlite(engine, watch)
    try:
        if path is not None:
            inspect_file(place)
        _migrate(engine, place, data_dir, backups)
    except AppError:
        engine.dispose()
        raise
    except OperationalError as error:
        engine.dispose()
        raise faults.away(place) from error
    if path is not None and path.exists() and path.stat().st_size > _CHECKED_BYTES:
        watch.looking = threading.Thread(target=_look_whole, args=(watch,), name="whence-check", daemon=True)
        watch.looking.start()
    return engine


def _look_whole(watch: Watch) -> None:
    """The check of a large file, beside the work; what it finds ends all writing."""
    try:
        inspect_file(watch.place, whole=True)
    except AppError as told:
        if told.code in faults.DAMAGED:
            watch.damaged = told
            logger.error("%s", told)


def connector(url: str, data_dir: Path) -> tuple[Engine, Place]:
    """An engine that has connected to nothing yet, and where it would. Raises: as `open_database`."""
    try:
        address = make_url(url or f"sqlite:///{data_dir / FILE}")
        if address.drivername in ("postgresql", "postgres"):
            address = address.set(drivername="postgresql+psycopg")
        sqlite = address.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"connect_args": {"timeout": _BUSY_SECONDS}} if sqlite else {}
        if address.drivername == "postgresql+psycopg" and "connect_timeout" not in address.query:
            options["connect_args"] = {"connect_timeout": _CONNECT_SECONDS}
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
    path = Path(address.database) if sqlite and address.database not in (None, "", ":memory:") else None
    shown = str(path) if path else address.render_as_string(hide_password=True)
    return engine, Place(shown, path, by_setting=bool(url))


@dataclass(eq=False)
class Watch:
    """What is known of a database while it is open: where it is, and whether it was found damaged."""

    place: Place
    damaged: AppError | None = None
    looking: threading.Thread | None = None
    """Reads a large file whole, after the start."""


_watches: WeakKeyDictionary[Engine, Watch] = WeakKeyDictionary()


def watch_of(engine: Engine) -> Watch:
    """What `open_database` noted of its engine."""
    return _watches[engine]


def read_only(path: Path) -> sqlite3.Connection:
    """A connection that cannot write: nothing into the file, and none of SQLite's own files beside it.

    Whoever has the file open keeps a log beside it; without one it is at rest and can be read as it stands.
    """
    at_rest = "" if path.with_name(f"{path.name}-wal").exists() else "&immutable=1"
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro{at_rest}", uri=True, timeout=_BUSY_SECONDS)


def inspect_file(place: Place, *, whole: bool = False) -> None:
    """Raises `AppError` when the file at `place` is no database, is damaged, or belongs to another program.

    Reads and never writes. SQLite's own check (`PRAGMA quick_check`) reads the whole file, so a start leaves it
    to a thread beside the work where the file is large; `whole` always checks.
    """
    path = place.path
    if path is None or not path.exists() or (path.is_file() and path.stat().st_size == 0):
        return
    try:
        with closing(read_only(path)) as connection:
            if whole or path.stat().st_size <= _CHECKED_BYTES:
                (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
                if found != "ok":
                    raise faults.damaged(place, str(found).splitlines()[-1].strip())
            tables = {
                name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            }
    except sqlite3.Error as error:
        raise faults.of_database(error, place) or faults.away(place) from error
    except OSError as error:
        raise faults.of_folder(error, path) from error
    if tables and "alembic_version" not in tables:
        raise faults.other_program(place, len(tables))


def _tell_faults(engine: Engine, watch: Watch) -> None:
    @event.listens_for(engine, "handle_error")
    def _fault(context: ExceptionContext) -> None:
        told = faults.of_database(context.original_exception, watch.place)
        if told is not None:
            if told.code in faults.DAMAGED:
                watch.damaged = told
            raise told from context.original_exception


@contextmanager
def writing(engine: Engine, *, opinion: bool = False) -> Iterator[Connection]:
    """A transaction that may write; all of it is kept, or nothing.

    Raises: AppError on an engine with the option `whence_read_only`, that of a link that may only look. One that also
    has `whence_may_comment` lets what people say (`opinion`) through, and nothing else.
    """
    options = engine.get_execution_options()
    if options.get("whence_read_only") and not (opinion and options.get("whence_may_comment")):
        raise AppError(
            LOOKS_ONLY,
            hint="Ask whoever sent it for a link that may change things, or go to your own workspace.",
            code="forbidden",
        )
    with engine.connect().execution_options(**_WRITES) as connection, connection.begin():
        yield connection


def _prepare_sqlite(engine: Engine, watch: Watch) -> None:
    @event.listens_for(engine, "connect")
    def _connect(raw: Any, _record: Any) -> None:
        raw.isolation_level = None  # the driver begins nothing on its own: `_begin` does
        try:
            cursor = raw.cursor()
            cursor.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")
            _write_ahead(cursor)
            cursor.execute("PRAGMA synchronous = NORMAL")
            cursor.execute("PRAGMA foreign_keys = ON")
            cursor.close()
        except sqlite3.Error as error:
            raw.close()
            raise faults.of_database(error, watch.place) or faults.away(watch.place) from error

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("whence_writes")
        if writes and watch.damaged is not None:
            raise watch.damaged
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """Switch the file to its write-ahead log, which asks for the whole file and does not wait for it by itself."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(_AGAIN_SECONDS)


def _version(connection: Connection) -> str | None:
    try:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except DBAPIError:
        return None


def _copy_before(engine: Engine, place: Place, data_dir: Path, newest: str, backups: int) -> None:
    """A copy before the tables change. Where PostgreSQL's own program cannot make one, that is logged and all goes on:
    there the tables change in one transaction, wholly or not at all.
    """
    if place.path is not None:
        backup.make(place.path, why=f"before-{newest}", keep=backups)
    elif engine.dialect.name == "postgresql":
        try:
            made = postgres_copy.make(
                engine.url, data_dir / backup.FOLDER, why=f"before-{newest}", keep=backups
            )
            logger.info("The database was copied to %s before its tables change", made)
        except (AppError, OSError) as error:
            logger.warning("The tables change without a copy of the database: %s", error)


def _migrate(engine: Engine, place: Place, data_dir: Path, backups: int) -> None:
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
    if found is not None and backups:
        _copy_before(engine, place, data_dir, newest, backups)
    from alembic import command
    from alembic.config import Config

    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _MIGRATION_LOCK})
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
