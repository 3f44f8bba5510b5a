"""What a database or a folder says when it cannot serve, as a sentence: what happened, where, what to do.

SQLite tells its faults by number (https://sqlite.org/rescode.html), the operating system by `errno`, PostgreSQL
by SQLSTATE; driver messages are for developers and are left out. Knows no table and no record.
"""

from __future__ import annotations

import errno
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from core.errors import AppError

DAMAGED = ("damaged_database", "not_a_database")
"""Codes of faults after which nothing more is written into the file."""
CODES = frozenset({"disk_full", "read_only", "database", "storage", *DAMAGED})
"""Codes of everything that is wrong with where Whence keeps things: never the fault of whoever asks."""
_FULL = (errno.ENOSPC, errno.EDQUOT)
_CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)
_NO_FOLDER = (errno.ENOTDIR, errno.EEXIST)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a database is: `shown` is its path, or its address without the password."""

    shown: str
    path: Path | None
    by_setting: bool
    """Whether the operator gave an address (WHENCE_DATABASE_URL), or it is the one in the data folder."""

    @property
    def setting(self) -> str:
        return "WHENCE_DATABASE_URL" if self.by_setting else "WHENCE_DATA_DIR"


def of_folder(error: OSError, path: Path) -> AppError:
    """The sentence for what the operating system said about `path`, a file or folder of Whence's own."""
    if error.errno in _FULL:
        return full(path)
    if error.errno in _CLOSED:
        return AppError(
            f"Whence may not write to {path}: {error.strerror}.",
            hint="Give the user that runs Whence the right to write there, or choose another folder with "
            "WHENCE_DATA_DIR.",
            code="read_only",
        )
    if error.errno in _NO_FOLDER:
        blocking = next((p for p in (path, *path.parents) if p.exists() and not p.is_dir()), path)
        return AppError(
            f"Whence keeps its data in the folder {path}, but {blocking} is a file.",
            hint="Move that file away, or choose another folder with WHENCE_DATA_DIR.",
            code="storage",
        )
    return AppError(
        f"The folder {path} cannot be used: {error.strerror or type(error).__name__}.",
        hint="Choose another folder with WHENCE_DATA_DIR.",
        code="storage",
    )


def full(path: Path) -> AppError:
    """The disk that holds `path` takes nothing more."""
    return AppError(
        f"The disk is full: {path} cannot grow ({_free(path)} free).",
        hint="Free some space there, then try again. What was kept before is whole; what was just made is not kept.",
        code="disk_full",
    )


def of_database(error: BaseException, place: Place) -> AppError | None:
    """The sentence for a driver's `error`; None for one that is no fault of where things are kept."""
    if isinstance(error, sqlite3.Error):
        return _of_sqlite(error, place)
    state = str(getattr(error, "sqlstate", "") or "")
    if state.startswith("53"):  # insufficient resources: disk full, out of memory, too many connections
        return AppError(
            f"The database at {place.shown} has no room left (SQLSTATE {state}).",
            hint="Free some space or connections on its machine, then try again.",
            code="disk_full" if state == "53100" else "database",
        )
    if state in ("25006", "42501"):
        return AppError(
            f"The database at {place.shown} does not let Whence write (SQLSTATE {state}).",
            hint="Give its user the right to write, or name the primary server in WHENCE_DATABASE_URL.",
            code="read_only",
        )
    if state in ("XX001", "XX002"):
        return AppError(
            f"The database at {place.shown} says that its data are damaged (SQLSTATE {state}).",
            hint="Restore it from your backup; Whence writes nothing more into it.",
            code="damaged_database",
        )
    if type(error).__name__ == "OperationalError":
        return away(place)
    return None


def away(place: Place) -> AppError:
    """Nobody answers at the address."""
    return AppError(
        f"The database at {place.shown} does not answer or does not let Whence in.",
        hint=f"Check that it runs, and the user, password and name in {place.setting}.",
        code="database",
    )


def damaged(place: Place, why: str = "") -> AppError:
    """Some pages of the file are not what was written."""
    return AppError(
        f"The database {place.shown} is damaged{f' ({why})' if why else ''}. Nothing more is written into it.",
        hint="`python -m core.doctor restore` lists the backups and puts one in its place; the damaged file is "
        "kept beside it.",
        code="damaged_database",
    )


def other_program(place: Place, tables: int) -> AppError:
    """A database, but not Whence's."""
    return AppError(
        f"The database {place.shown} holds {tables} tables of another program and none of Whence. "
        "It was left as it is.",
        hint=f"Choose another place with {place.setting}.",
        code="not_a_database",
    )


def _of_sqlite(error: sqlite3.Error, place: Place) -> AppError | None:
    kind = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    path = place.path or Path(place.shown)
    if kind == sqlite3.SQLITE_FULL:
        return full(path)
    if kind == sqlite3.SQLITE_CORRUPT:
        return damaged(place)
    if kind == sqlite3.SQLITE_NOTADB:
        return AppError(
            f"The file {path} is not a database. It was left as it is.",
            hint=f"Move it away and Whence makes a new one (or `python -m core.doctor restore` puts a backup there), "
            f"or choose another place with {place.setting}.",
            code="not_a_database",
        )
    if kind in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return AppError(
            f"The database {path} cannot be written: the file or its folder is read-only.",
            hint=f"Give the user that runs Whence the right to write there, or choose another place with "
            f"{place.setting}.",
            code="read_only",
        )
    if kind == sqlite3.SQLITE_CANTOPEN or path.is_dir():
        return AppError(
            f"The database {path} cannot be opened: {_why_not_open(path)}.",
            hint=f"Mend that, or choose another place with {place.setting}.",
            code="storage",
        )
    if kind == sqlite3.SQLITE_IOERR:
        if _free_bytes(path) == 0:
            return full(path)
        return AppError(
            f"The disk could not read or write {path} ({getattr(error, 'sqlite_errorname', 'an I/O error')}).",
            hint="Look at the disk and at its free space (`python -m core.doctor` does), then start Whence again.",
            code="storage",
        )
    if kind in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return AppError(
            f"Another program holds the database {path} and did not let go of it.",
            hint="Try again; if it comes back, end the other program that uses this file.",
            code="database",
        )
    return None


def _why_not_open(path: Path) -> str:
    folder = path.parent
    if path.is_dir():
        return "it is a folder"
    if not folder.exists():
        return f"there is no folder {folder}"
    if not folder.is_dir():
        return f"{folder} is a file"
    return "the user that runs Whence may not read or write there"


def _free_bytes(path: Path) -> int | None:
    for folder in (path, *path.parents):
        try:
            return shutil.disk_usage(folder).free
        except OSError:
            continue
    return None


def _free(path: Path) -> str:
    left = _free_bytes(path)
    return "an unknown number of bytes" if left is None else f"{left:,} bytes"
