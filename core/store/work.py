"""State of long work over many items (rows of a dataset), so that it goes on where it stopped.

The items and what is done stand in the database; who works on them does not: after a restart a list that is
neither done nor being worked on is offered for resuming. Done items are written as they finish, a killed
process loses only those in flight. Knows neither jobs nor models.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Row, bindparam, delete, func, select, update

from core.errors import AppError
from core.store.engine import writing
from core.store.tables import work, work_items
from core.store.workspace import Workspace

State = Literal["running", "stopped", "done", "failed"]


@dataclass(frozen=True, slots=True)
class PieceOfWork:
    """A list of items and how far it is."""

    id: str
    kind: str
    key: str
    state: State
    payload: Mapping[str, Any]
    message: str
    total: int
    done: int
    failed: int
    created_at: float
    updated_at: float


class WorkList:
    """The long work of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace, self.engine = workspace, workspace.engine
        self.workspace_id = workspace.id

    def begin(
        self, kind: str, key: str, items: Sequence[str], payload: Mapping[str, Any], label: str = ""
    ) -> PieceOfWork:
        """Starts work on `items`, or takes up the unfinished one of the same `kind` and `key`.

        `label` says what it is, for who did what.
        """
        now = time.time()
        with writing(self.engine) as connection:
            same = (work.c.workspace_id == self.workspace_id) & (work.c.kind == kind) & (work.c.key == key)
            query = select(work.c.id).where(same, work.c.state != "done").order_by(work.c.created_at.desc())
            found = connection.execute(query).scalar()
            if found is None:
                found = secrets.token_urlsafe(9)
                row: dict[str, Any] = {
                    "id": found,
                    "workspace_id": self.workspace_id,
                    "kind": kind,
                    "key": key,
                }
                row |= {"state": "running", "payload": json.dumps(dict(payload)), "message": ""}
                row |= {"total": len(items), "created_at": now, "updated_at": now}
                connection.execute(work.insert(), [row])
                unique = list(dict.fromkeys(items))
                rows = [
                    {"work_id": found, "item": item, "position": i, "state": "waiting", "result": ""}
                    for i, item in enumerate(unique)
                ]
                if rows:
                    connection.execute(work_items.insert(), rows)
                connection.execute(update(work).where(work.c.id == found).values(total=len(unique)))
            else:
                change = {"state": "running", "message": "", "updated_at": now}
                connection.execute(update(work).where(work.c.id == found).values(change))
                again = (work_items.c.work_id == found) & (work_items.c.state == "failed")
                connection.execute(update(work_items).where(again).values(state="waiting"))
            self._workspace.note(connection, f"ran “{label or kind}” over {len(items):,} rows")
        return self.get(found)

    def get(self, work_id: str) -> PieceOfWork:
        """Raises `AppError` (code "missing") when this workspace has none of that id."""
        found = self._list(work.c.id == work_id)
        if not found:
            raise AppError("This job does not exist (any more).", code="missing")
        return found[0]

    def all(self, kind: str | None = None, *, unfinished: bool = False) -> tuple[PieceOfWork, ...]:
        """The newest first."""
        wanted = [] if kind is None else [work.c.kind == kind]
        if unfinished:
            wanted.append(work.c.state != "done")
        return self._list(*wanted)

    def pending(self, work_id: str) -> tuple[str, ...]:
        """Items that are not done, in their order."""
        here = (work_items.c.work_id == work_id) & (work_items.c.state == "waiting")
        with self.engine.connect() as connection:
            query = select(work_items.c.item).where(here).order_by(work_items.c.position)
            return tuple(connection.execute(query).scalars())

    def items(self, work_id: str) -> tuple[str, ...]:
        """All items, in their order."""
        with self.engine.connect() as connection:
            query = select(work_items.c.item).where(work_items.c.work_id == work_id)
            return tuple(connection.execute(query.order_by(work_items.c.position)).scalars())

    def finish(self, work_id: str, results: Mapping[str, Any], *, failed: bool = False) -> None:
        """Marks items as done (or failed) with their results (JSON values; a reason when failed)."""
        state = "failed" if failed else "done"
        here = (work_items.c.work_id == work_id) & (work_items.c.item == bindparam("of_item"))
        change = update(work_items).where(here).values(state=state, result=bindparam("as_result"))
        rows = [{"of_item": item, "as_result": json.dumps(result)} for item, result in results.items()]
        with writing(self.engine) as connection:
            if rows:
                connection.execute(change, rows)
            connection.execute(update(work).where(work.c.id == work_id).values(updated_at=time.time()))

    def results(self, work_id: str, *, failed: bool = False) -> dict[str, Any]:
        """Results of the done (or the failed) items, in their order."""
        state = "failed" if failed else "done"
        here = (work_items.c.work_id == work_id) & (work_items.c.state == state)
        query = select(work_items.c.item, work_items.c.result).where(here).order_by(work_items.c.position)
        with self.engine.connect() as connection:
            return {item: json.loads(result) for item, result in connection.execute(query)}

    def set_state(self, work_id: str, state: State, message: str = "") -> None:
        change = {"state": state, "message": message, "updated_at": time.time()}
        with writing(self.engine) as connection:
            connection.execute(update(work).where(work.c.id == work_id).values(change))

    def remove(self, work_id: str) -> None:
        with writing(self.engine) as connection:
            here = (work.c.id == work_id) & (work.c.workspace_id == self.workspace_id)
            connection.execute(delete(work).where(here))

    def _list(self, *wanted: Any) -> tuple[PieceOfWork, ...]:
        def count(state: str) -> Any:
            here = (work_items.c.work_id == work.c.id) & (work_items.c.state == state)
            return select(func.count()).select_from(work_items).where(here).scalar_subquery().label(state)

        query = select(work, count("done"), count("failed"))
        query = query.where(work.c.workspace_id == self.workspace_id, *wanted)
        with self.engine.connect() as connection:
            rows = connection.execute(query.order_by(work.c.created_at.desc())).all()
        return tuple(_work(row) for row in rows)


def _work(row: Row[Any]) -> PieceOfWork:
    return PieceOfWork(
        row.id,
        row.kind,
        row.key,
        row.state,
        json.loads(row.payload),
        row.message,
        row.total,
        row.done,
        row.failed,
        row.created_at,
        row.updated_at,
    )
