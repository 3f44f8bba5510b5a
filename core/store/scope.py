"""What every part of a workspace starts from: the database, its id, and which examples it sees."""

from __future__ import annotations

import time

from sqlalchemy import Connection, Engine, delete, select

from core.store.engine import writing
from core.store.limits import Quotas
from core.store.tables import SHARED, deeds, examples

MOST_DEEDS = 1_000


class Scope:
    """A workspace as seen by the database: its own rows and the shared ones."""

    def __init__(self, engine: Engine, name: str, limits: Quotas) -> None:
        self.engine = engine
        self.id = name
        self.limits = limits
        self.who = ""
        """Who acts, for `deeds`; empty: nobody asks (one's own machine)."""
        self.away_seconds = 0.0
        """For how long nobody had opened it, where this opening is what told; 0 within the hour."""
        self.seen = examples.c.workspace_id.in_((name, SHARED))

    @property
    def writable(self) -> bool:
        """Whether anything here may be changed: not by a link that may only look."""
        return not self.engine.get_execution_options().get("whence_read_only", False)

    @property
    def commentable(self) -> bool:
        """Whether people may say here what they think of answers: also by a link that may comment, not change."""
        return self.writable or bool(self.engine.get_execution_options().get("whence_may_comment", False))

    def did(self, what: str) -> None:
        """As `note`, where nothing else is written."""
        if self.who and self.writable:
            with writing(self.engine) as connection:
                self.note(connection, what)

    def note(self, connection: Connection, what: str) -> None:
        """Write down that `who` did `what`; the oldest beyond `MOST_DEEDS` go."""
        if not self.who:
            return
        row = {"workspace_id": self.id, "at": time.time(), "who": self.who[:200], "what": what[:500]}
        connection.execute(deeds.insert(), [row])
        mine = deeds.c.workspace_id == self.id
        oldest = select(deeds.c.seq).where(mine).order_by(deeds.c.seq.desc()).offset(MOST_DEEDS).limit(1)
        last = connection.execute(oldest).scalar()
        if last is not None:
            connection.execute(delete(deeds).where(mine, deeds.c.seq <= last))
