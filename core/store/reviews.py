"""What people said about a workspace's answers: added one by one, never changed, so two at once lose nothing.

A link that may comment adds here, and nowhere else (`core.store.engine.writing`).
"""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from typing import Any

from sqlalchemy import func, select

from core.errors import AppError
from core.review import Opinion
from core.store.engine import writing
from core.store.limits import check_text
from core.store.scope import Scope
from core.store.tables import SHARED, examples, opinions

MOST = 100_000
_FIELDS = (
    *("kind", "example_id", "reviewer", "value", "text", "table_id", "column", "other", "take"),
    *("place", "start", "stop", "quote", "at", "id"),
)


class Reviews:
    """The opinions of one workspace."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def say(self, opinion: Opinion) -> Opinion:
        """Keeps `opinion`, with its id and moment. Raises: AppError where nothing may be said, or the row is gone."""
        for text in (opinion.reviewer, opinion.text, opinion.quote):
            check_text(text)
        made = replace(
            opinion, id=secrets.token_urlsafe(9), at=time.time(), reviewer=opinion.reviewer.strip()
        )
        row: dict[str, Any] = {name: getattr(made, name) for name in _FIELDS}
        with writing(self._scope.engine, opinion=True) as connection:
            own_first = examples.c.workspace_id == SHARED
            here = select(examples.c.dataset_id).where(self._scope.seen, examples.c.id == made.example_id)
            dataset = connection.execute(here.order_by(own_first)).scalar()
            if dataset is None:
                raise AppError("The row that this is about is gone.", code="missing")
            mine = opinions.c.workspace_id == self._scope.id
            held = connection.execute(select(func.count()).select_from(opinions).where(mine)).scalar_one()
            if held >= MOST:
                raise AppError(f"This workspace holds {held:,} opinions; no more are kept.", code="limit")
            row |= {"workspace_id": self._scope.id, "dataset_id": dataset}
            connection.execute(opinions.insert(), [row])
        return made

    def of_table(self, table_id: str) -> list[Opinion]:
        """Everything that was said about a table, in order."""
        return self._read(opinions.c.table_id == table_id)

    def of_example(self, example_id: str) -> list[Opinion]:
        """Everything that was said about a row, under whatever table, in order."""
        return self._read(opinions.c.example_id == example_id)

    def all(self) -> list[Opinion]:
        """Everything that was said in this workspace, in order."""
        return self._read()

    def _read(self, *wanted: Any) -> list[Opinion]:
        columns = [opinions.c[name] for name in _FIELDS]
        mine = opinions.c.workspace_id == self._scope.id
        query = select(*columns).where(mine, *wanted).order_by(opinions.c.at, opinions.c.id)
        with self._scope.engine.connect() as connection:
            return [Opinion(**dict(zip(_FIELDS, row))) for row in connection.execute(query)]
