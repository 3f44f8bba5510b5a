"""Copies of a SQLite database while it is in use, and the way back.

SQLite's own backup (https://sqlite.org/backup.html) copies a consistent state beside readers and writers. A copy
is checked before it gets its name, so what is listed here can be restored. PostgreSQL has its own tools
(`pg_dump`, `pg_restore`). Knows no table but Alembic's version.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core.errors import AppError
from core.store import faults
from core.store.faults import Place

FOLDER = "backups"
_STAMP = "%Y%m%dT%H%M%SZ"
_PAGES = 512
"""Copied at a time; between two parts other threads and processes write on."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy: when it was made (seconds since 1970), why (`daily`, `before-0003`, `before-restore`)."""

    path: Path
    made_at: float
    why: str
    bytes: int


def folder_of(database: Path) -> Path:
    """Where the copies of `database` are."""
    return database.parent / FOLDER


def listed(database: Path) -> tuple[Backup, ...]:
    """The copies of `database` that there are, the newest first."""
    found = []
    for path in folder_of(database).glob(f"{database.stem}-*{database.suffix}"):
        stamp, _, why = path.stem.removeprefix(f"{database.stem}-").partition("-")
        with contextlib.suppress(ValueError, OSError):
            made = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC).timestamp()
            found.append(Backup(path, made, why, path.stat().st_size))
    return tuple(sorted(found, key=lambda one: (one.made_at, one.path.name), reverse=True))


def make(database: Path, *, why: str, keep: int = 3, now: float | None = None) -> Backup:
    """Copies `database`, checks the copy, and lets the oldest copies of the same kind beyond `keep` go.

    Raises: AppError when there is no room, the folder cannot be written, or the database is damaged.
    """
    place, folder = Place(str(database), database, by_setting=False), folder_of(database)
    stamp = datetime.fromtimestamp(time.time() if now is None else now, UTC).strftime(_STAMP)
    path = folder / f"{database.stem}-{stamp}-{why}{database.suffix}"
    beside = folder / f".{path.name}.part"
    try:
        folder.mkdir(exist_ok=True)
        room, size = shutil.disk_usage(folder).free, database.stat().st_size
        if room < size:
            raise AppError(
                f"There is no room for a backup of {database}: it has {size:,} bytes, {room:,} are free.",
                hint="Free some space, or set WHENCE_BACKUPS=0 to do without backups.",
                code="disk_full",
            )
        with (
            closing(sqlite3.connect(database, timeout=30)) as source,
            closing(sqlite3.connect(beside)) as copy,
        ):
            source.backup(copy, pages=_PAGES)
            copy.execute("PRAGMA journal_mode = DELETE")
            (found,) = copy.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise faults.damaged(place, str(found).splitlines()[-1].strip())
        beside.replace(path)
    except sqlite3.Error as error:
        raise faults.of_database(error, place) or faults.damaged(place, type(error).__name__) from error
    except OSError as error:
        raise faults.of_folder(error, folder) from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
    of_kind = [one for one in listed(database) if (one.why == "daily") == (why == "daily")]
    for old in of_kind[max(keep, 1) :]:
        with contextlib.suppress(OSError):
            old.path.unlink()
    return next(one for one in listed(database) if one.path == path)


def restore(database: Path, chosen: Backup) -> Path | None:
    """Puts `chosen` in the place of `database`; what stood there is kept beside it, its new path is returned.

    Nothing may have the database open. Raises: AppError when the copy is not whole or another program holds the
    database.
    """
    place = Place(str(database), database, by_setting=False)
    try:
        with closing(sqlite3.connect(f"file:{chosen.path}?mode=ro", uri=True)) as copy:
            (found,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise faults.damaged(Place(str(chosen.path), chosen.path, by_setting=False)) from error
    if found != "ok":
        raise faults.damaged(Place(str(chosen.path), chosen.path, by_setting=False), str(found))
    _nobody_has(database, place)
    stamp = datetime.now(UTC).strftime(_STAMP)
    aside = database.with_name(f"{database.name}.{stamp}.aside") if database.exists() else None
    fresh = database.with_name(f".{database.name}.{stamp}.part")
    try:
        shutil.copyfile(chosen.path, fresh)
        for ending in ("-wal", "-shm", ""):
            beside = database.with_name(database.name + ending)
            if beside.exists() and aside is not None:
                beside.rename(aside.with_name(aside.name + ending))
        fresh.replace(database)
    except OSError as error:
        raise faults.of_folder(error, database.parent) from error
    finally:
        fresh.unlink(missing_ok=True)
    return aside


def _nobody_has(database: Path, place: Place) -> None:
    """Raises `AppError` when another connection is open on a database that can still be opened."""
    if not database.is_file():
        return
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=rw", uri=True, timeout=1)) as connection:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.rollback()
    except sqlite3.Error as error:
        told = faults.of_database(error, place)
        if told is not None and told.code == "database":
            raise AppError(
                f"Another program has the database {database} open.",
                hint="End the app and the server first, then restore.",
                code="database",
            ) from error
        # A file that cannot even be opened is what a restore is for.


def remove_older(database: Path, days: int, now: float | None = None) -> None:
    """Copies of every kind that are older than `days` go."""
    moment = time.time() if now is None else now
    for one in listed(database):
        if one.made_at < moment - days * DAY:
            with contextlib.suppress(OSError):
                one.path.unlink()


class Daily:
    """Makes a backup when the newest is older than a day; looks once an hour, on a thread of its own.

    With `days`, copies of every kind that are older go, so that what was removed is gone from them too.
    """

    def __init__(
        self,
        database: Path,
        keep: int,
        *,
        fault: Callable[[AppError | None], None],
        days: int | None = None,
    ) -> None:
        self.database, self.keep, self.days = database, keep, days
        self._fault = fault
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="whence-backup", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread; a copy that is under way is finished first."""
        self._end.set()
        self._thread.join()

    def _loop(self) -> None:
        while not self._end.wait(min(_until_due(self.database), _HOUR)):
            if self.days is not None:
                remove_older(self.database, self.days)
            if _until_due(self.database) > 0:
                continue
            try:
                make(self.database, why="daily", keep=self.keep)
                self._fault(None)
            except AppError as error:
                logger.error("No backup was made: %s", error)
                self._fault(error)
            except Exception:
                logger.exception("No backup was made")
            if self._end.wait(_HOUR):
                return


_HOUR = 3600.0
DAY = 24 * _HOUR


def _until_due(database: Path, now: float | None = None) -> float:
    """Seconds until the next daily copy; the first comes a day after the database was made."""
    newest = next((one.made_at for one in listed(database) if one.why == "daily"), None)
    since = newest if newest is not None else _made_at(database)
    return max(0.0, since + DAY - (time.time() if now is None else now))


def _made_at(database: Path) -> float:
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            (made,) = connection.execute("SELECT min(created_at) FROM workspaces").fetchone()
            return float(made or 0)
    except sqlite3.Error:
        return 0.0
