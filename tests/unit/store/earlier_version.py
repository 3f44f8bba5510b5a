"""A workspace that the version of 21 November 2026 wrote, byte for byte: what `earlier/` holds, and what stood in it.

`workspace.sql` is the dump of its database, `salience/` its matrix on disk. Never made anew with newer code.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

FOLDER = Path(__file__).parent / "earlier"
DATASET = "dlAd8JaPBuf8"
ANSWER = "38a1f5c2e9584928e5fc0c71381edfec50036367bce9a520c40e1864b416125f"
"""What `tiny` wrote for the plain prompt of `soup`."""
CHAT_ANSWER = "3eabe0f7ac8095f5fe2706e15d264fd667adbc41e1257ec236d7fae7b702823a"
"""What `tiny` wrote for the prompt of `stew`, sent as a chat."""
MATRIX = "645c59215ae6f6ceef701e66589251bbca32a79ded7c19bb0cb5e2bd9d56c646"
HOSTED = "fOPdQYUKmTNRE-OoDphqgsPWkzPhSY-1Se6JXdw1goo"
"""A visitor's workspace: its id was its link."""
WORK = "y8BuZTlrm5kJ"


def lay_down(folder: Path) -> None:
    """Make `folder` a data folder as that version left it."""
    place = folder / "salience" / MATRIX[:2]
    place.mkdir(parents=True)
    shutil.copy(FOLDER / "salience" / f"{MATRIX}.npz", place)
    with closing(sqlite3.connect(folder / "whence.sqlite3")) as database:
        database.executescript((FOLDER / "workspace.sql").read_text(encoding="utf-8"))
