"""What every part of a workspace starts from: the database, its id, and which examples it sees."""

from __future__ import annotations

from sqlalchemy import Engine

from core.store.limits import Quotas
from core.store.tables import SHARED, examples


class Scope:
    """A workspace as seen by the database: its own rows and the shared ones."""

    def __init__(self, engine: Engine, name: str, limits: Quotas) -> None:
        self.engine = engine
        self.id = name
        self.limits = limits
        self._seen = examples.c.workspace_id.in_((name, SHARED))
