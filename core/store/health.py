"""Whether the database and the disk can serve: for `/readyz`, the page and the doctor. Writes nothing.

Knows no table but Alembic's version.
"""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from core.errors import AppError
from core.store import faults
from core.store.engine import connector, head, inspect_file, read_only, watch_of
from core.store.faults import Place

COUNTED = ("workspaces", "datasets", "examples", "generations")


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What a database is, seen without changing it: `version` of its tables ("" when there is none yet), the
    newest version that this Whence knows, and rows of a few tables by name."""

    place: Place
    version: str
    newest: str
    rows: dict[str, int]


def look(url: str, data_dir: Path) -> DatabaseFacts:
    """Reads the database that the settings name, a SQLite file whole. Makes and migrates nothing.

    Raises: AppError with what is wrong.
    """
    engine, place = connector(url, data_dir)
    try:
        if place.path is None:
            with engine.connect() as connection:
                found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
            return DatabaseFacts(place, str(found), head(), {})
    except SQLAlchemyError as error:
        original = getattr(error, "orig", None) or error
        raise faults.of_database(original, place) or faults.away(place) from error
    finally:
        engine.dispose()
    if not place.path.exists():
        return DatabaseFacts(place, "", head(), {})
    inspect_file(place, whole=True)
    with closing(read_only(place.path)) as file:
        (version,) = file.execute("SELECT version_num FROM alembic_version").fetchone()
        rows = {name: file.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in COUNTED}  # noqa: S608
    return DatabaseFacts(place, version, head(), rows)


def fault(engine: Engine, data_dir: Path, least_free_bytes: int) -> AppError | None:
    """The first thing that is wrong, or None: the database was found damaged, does not answer or cannot be
    written; the data folder cannot be written; fewer than `least_free_bytes` are free there."""
    watch = watch_of(engine)
    if watch.damaged is not None:
        return watch.damaged
    path = watch.place.path
    if path is not None and not path.exists():
        return AppError(
            f"The database {path} is gone: its file was removed while Whence runs.",
            hint="Put it back, or start Whence again; then it makes a new one.",
            code="database",
        )
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
            if connection.dialect.name == "postgresql":
                closed = connection.execute(text("SHOW transaction_read_only")).scalar() == "on"
                if closed:
                    return _closed(watch.place.shown)
    except AppError as told:
        return told
    except SQLAlchemyError:
        return faults.away(watch.place)
    for here in (path, path.parent if path is not None else None, data_dir):
        if here is not None and here.exists() and not os.access(here, os.W_OK):
            return _closed(str(here))
    return room(data_dir, least_free_bytes)


def room(data_dir: Path, least_free_bytes: int) -> AppError | None:
    """What to say when the disk of `data_dir` is full or nearly so; None when there is room."""
    try:
        free = shutil.disk_usage(data_dir).free
    except OSError as error:
        return faults.of_folder(error, data_dir)
    if free >= max(least_free_bytes, 1):
        return None
    if free == 0:
        return faults.full(data_dir)
    return AppError(
        f"The disk of {data_dir} is nearly full: {free:,} bytes are free, at least {least_free_bytes:,} should be.",
        hint="Free some space there (the bound is WHENCE_LEAST_FREE_BYTES).",
        code="disk_full",
    )


def _closed(place: str) -> AppError:
    return AppError(
        f"Whence may not write to {place}.",
        hint="Give the user that runs Whence the right to write there, or choose another place.",
        code="read_only",
    )
