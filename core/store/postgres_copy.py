"""Copies of a PostgreSQL database by its own `pg_dump`, where that program is installed. Knows no table.

The password travels in the environment of the program, never among its arguments, which every user of the machine sees.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL

from core.errors import AppError

PROGRAM = "pg_dump"
HINT = "Install PostgreSQL's client programs of the server's version or a newer one, or copy it with your own tools."


def make(address: URL, folder: Path, *, why: str, keep: int = 3, now: float | None = None) -> Path:
    """Writes `folder/whence-<moment>-<why>.dump` (`pg_restore` reads it); the oldest beyond `keep` of a kind go.

    Raises: AppError where the program is missing or cannot copy this server.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise AppError(
            f"A copy of a PostgreSQL database needs {PROGRAM}, which is not here.",
            hint=HINT,
            code="database",
        )
    folder.mkdir(parents=True, exist_ok=True)
    stamp = datetime.fromtimestamp(time.time() if now is None else now, UTC).strftime("%Y%m%dT%H%M%SZ")
    path = folder / f"whence-{stamp}-{why}.dump"
    beside = path.with_name(f".{path.name}.part")
    target = address.set(drivername="postgresql", password=None).render_as_string()
    command = [program, "--format=custom", "--no-password", f"--file={beside}", f"--dbname={target}"]
    secret = {"PGPASSWORD": str(address.password)} if address.password else {}
    try:
        # The program is found by name, its arguments are ours and no shell reads them.
        done = subprocess.run(  # noqa: S603
            command, env={**os.environ, **secret}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            said = " ".join(done.stderr.split())[-300:]
            raise AppError(f"{PROGRAM} could not copy the database: {said}", hint=HINT, code="database")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    of_kind = sorted(folder.glob(f"whence-*Z-{why.split('-')[0]}*.dump"), reverse=True)
    for old in of_kind[max(keep, 1) :]:
        old.unlink(missing_ok=True)
    return path
