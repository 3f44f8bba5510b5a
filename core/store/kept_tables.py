"""Tables of rows × prompt versions × models in a workspace: their plans, and the answers and verdicts of their cells.

A cell is written as it is answered, so a killed run loses only what was in flight. The same plan asked again is the
same table. Knows no model and no check.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, delete, func, select, update

from core.errors import AppError
from core.prompt_table import CellAnswer, PromptTable, TablePlan, TableRow, from_json, put_together
from core.records import Example
from core.store.engine import writing
from core.store.limits import check_text
from core.store.scope import Scope
from core.store.sql import chunks, upsert
from core.store.tables import prompt_tables, table_cells

if TYPE_CHECKING:
    from core.store.example_list import ExampleList

ROWS_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class KeptTable:
    """A table that is kept: its name, its plan, and when it was made and last asked (seconds since 1970)."""

    id: str
    name: str
    plan: TablePlan
    created_at: float
    updated_at: float


class KeptTables:
    """The tables of one workspace."""

    def __init__(self, scope: Scope, examples: ExampleList) -> None:
        self._scope, self._examples = scope, examples

    def keep(self, plan: TablePlan, name: str = "") -> KeptTable:
        """Keeps `plan` under a name; one that is kept already (whatever its baseline) is that table."""
        check_text(name)
        own, now = prompt_tables.c.workspace_id == self._scope.id, time.time()
        with writing(self._scope.engine) as connection:
            query = select(prompt_tables.c.id).where(own, prompt_tables.c.key == plan.key)
            found = connection.execute(query).scalar()
            if found is None:
                found = secrets.token_urlsafe(9)
                row: dict[str, Any] = {"id": found, "workspace_id": self._scope.id, "key": plan.key}
                row |= {"dataset_id": plan.dataset_id, "name": name.strip() or _called(plan)}
                row |= {"plan": json.dumps(plan.to_json()), "created_at": now, "updated_at": now}
                connection.execute(prompt_tables.insert(), [row])
                self._scope.note(connection, f"made the table “{row['name']}”")
            else:
                change: dict[str, Any] = {"plan": json.dumps(plan.to_json())}
                change |= {"name": name.strip()} if name.strip() else {}
                connection.execute(update(prompt_tables).where(prompt_tables.c.id == found).values(change))
        return self.get(found)

    def all(self, dataset_id: str | None = None) -> tuple[KeptTable, ...]:
        """The newest first."""
        wanted = [] if dataset_id is None else [prompt_tables.c.dataset_id == dataset_id]
        return self._list(*wanted)

    def get(self, table_id: str) -> KeptTable:
        """Raises `AppError` (code "missing") when this workspace has none of that id."""
        found = self._list(prompt_tables.c.id == table_id)
        if not found:
            raise AppError("This table does not exist (any more).", hint="Choose another.", code="missing")
        return found[0]

    def remove(self, table_id: str) -> None:
        """The table and its cells go; the answers stay with the prompts."""
        kept = self.get(table_id)
        with writing(self._scope.engine) as connection:
            connection.execute(delete(prompt_tables).where(prompt_tables.c.id == kept.id))
            self._scope.note(connection, f"removed the table “{kept.name}”")

    def rows(self, plan: TablePlan) -> list[Example]:
        """The rows of a plan."""
        return self._examples.of(plan.dataset_id, list(plan.row_ids) or None)

    def save(self, table_id: str, cells: Sequence[CellAnswer]) -> None:
        """Keeps answers of the table `table_id`, in place of what stood in their cells."""
        rows = [
            {
                "table_id": table_id,
                "example_id": cell.row,
                "place": cell.column,
                "take": cell.take,
                "answer": cell.answer.replace("\x00", "\ufffd"),
                "outcome": cell.outcome,
                "why": cell.why.replace("\x00", "\ufffd"),
                "generation_key": cell.key,
                "tie": cell.tie,
            }
            for cell in cells
        ]
        with writing(self._scope.engine) as connection:
            for part in chunks(rows):
                upsert(connection, table_cells, list(part), ("table_id", "example_id", "place", "take"))
            here = prompt_tables.c.id == table_id
            connection.execute(update(prompt_tables).where(here).values(updated_at=time.time()))

    def cells(self, table_id: str) -> Iterator[CellAnswer]:
        """What is kept of the cells of `table_id`."""
        c = table_cells.c
        names = (c.example_id, c.place, c.take, c.answer, c.outcome, c.why, c.generation_key, c.tie)
        with self._scope.engine.connect() as connection:
            for row in connection.execute(select(*names).where(c.table_id == table_id)):
                yield CellAnswer(*row)

    def filled(self, table_id: str, row_ids: Sequence[str]) -> set[tuple[str, int, int]]:
        """(row, column, take) of what is kept of these rows."""
        c, found = table_cells.c, set()
        with self._scope.engine.connect() as connection:
            for part in chunks(list(dict.fromkeys(row_ids))):
                query = select(c.example_id, c.place, c.take).where(c.table_id == table_id)
                for row in connection.execute(query.where(c.example_id.in_(part))):
                    found.add((row.example_id, row.place, row.take))
        return found

    def count(self, table_id: str) -> int:
        """How many takes of cells are kept."""
        query = select(func.count()).select_from(table_cells).where(table_cells.c.table_id == table_id)
        with self._scope.engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def table(self, table_id: str) -> PromptTable:
        """The table with everything that is kept of it. Raises: as `get`."""
        kept = self.get(table_id)
        rows = [TableRow(row.id, row.called, row.targets, row.source) for row in self.rows(kept.plan)]
        return put_together(kept.plan, rows, self.cells(table_id))

    def _list(self, *wanted: Any) -> tuple[KeptTable, ...]:
        here = prompt_tables.c.workspace_id == self._scope.id
        query = select(prompt_tables).where(here, *wanted).order_by(prompt_tables.c.created_at.desc())
        with self._scope.engine.connect() as connection:
            return tuple(_kept(row) for row in connection.execute(query))


def _kept(row: Row[Any]) -> KeptTable:
    return KeptTable(row.id, row.name, from_json(json.loads(row.plan)), row.created_at, row.updated_at)


def _called(plan: TablePlan) -> str:
    names = " / ".join(version.name for version in plan.versions)
    return f"{names} · {', '.join(dict.fromkeys(who.spec.name for who in plan.answerers))}"[:200]
