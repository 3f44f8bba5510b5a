"""The command: look and report, make a backup, or put one back."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from core.doctor.report import report, secrets_of
from core.doctor.symptoms import examine
from core.errors import AppError
from core.settings import settings
from core.store import backup, postgres_copy
from core.store.engine import FILE, connector


def main(given: list[str] | None = None) -> int:
    """Run the command. Returns the exit status: 0 all is well, 1 something does not work, 2 it could not be run."""
    parser = argparse.ArgumentParser(
        "python -m core.doctor", description="Is everything there, writable and whole?"
    )
    parser.add_argument("--out", type=Path, help="write the report to this file too; it holds no secret")
    what = parser.add_subparsers(dest="what")
    what.add_parser("backup", help="copy the database now (PostgreSQL: by pg_dump)")
    back = what.add_parser("restore", help="list the backups, or put one in the database's place")
    back.add_argument("name", nargs="?", help="a backup's name, as the list shows it")
    chosen = parser.parse_args(given)
    try:
        if chosen.what == "backup":
            engine, place = connector(settings().database_url, settings().data_dir)
            engine.dispose()
            if place.path is None:
                folder = settings().data_dir / backup.FOLDER
                keep = max(settings().backups, 3)
                print(f"{postgres_copy.make(engine.url, folder, why='by-hand', keep=keep)}: by pg_dump.")
                return 0
            copy = backup.make(_file(), why="by-hand", keep=max(settings().backups, 3))
            print(f"{copy.path}: {copy.bytes:,} bytes, checked.")
            return 0
        if chosen.what == "restore":
            return _restore(chosen.name)
        found = examine(settings())
        words = report(found, secrets_of(settings(), os.environ))
        print(words)
        if chosen.out is not None:
            chosen.out.write_text(words, encoding="utf-8")
    except AppError as fault:
        print(fault, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{chosen.out} cannot be written: {error.strerror}.", file=sys.stderr)
        return 2
    wrong = sum(one.level == "wrong" for one in found)
    print(f"{wrong} of {len(found)} findings need somebody." if wrong else "All is well.")
    return 1 if wrong else 0


def _file() -> Path:
    engine, place = connector(settings().database_url, settings().data_dir)
    engine.dispose()
    if place.path is None:
        raise AppError(
            f"The database is {place.shown}; only SQLite files are put back here.",
            hint=f"End the app and the server, then: pg_restore --clean --if-exists -d ADDRESS "
            f"{backup.folder_of(settings().data_dir / FILE)}/NAME.dump",
        )
    return place.path


def _restore(name: str | None) -> int:
    database = _file()
    copies = backup.listed(database)
    if not copies:
        print(f"There are no backups of {database} in {backup.folder_of(database)}.", file=sys.stderr)
        return 2
    if name is None:
        for copy in copies:
            made = datetime.fromtimestamp(copy.made_at, UTC)
            print(f"{copy.path.name}  {made:%Y-%m-%d %H:%M} UTC  {copy.bytes:,} bytes")
        print("End the app and the server, then: python -m core.doctor restore NAME")
        return 0
    chosen = next((copy for copy in copies if copy.path.name == name), None)
    if chosen is None:
        listed = ", ".join(copy.path.name for copy in copies)
        print(f"There is no backup called {name}. There are: {listed}.", file=sys.stderr)
        return 2
    aside = backup.restore(database, chosen)
    print(
        f"{database} is now {chosen.path.name}." + (f" What stood there is kept as {aside}." if aside else "")
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
