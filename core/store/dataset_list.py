"""The datasets of a workspace: those shared by all, which nobody changes, and one's own.

Limits are charged in the same transaction as the rows, so two sessions cannot pass them together.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select

from core.errors import AppError
from core.records import Example
from core.store.appending import append, charge
from core.store.engine import writing
from core.store.limits import check_text
from core.store.scope import Scope
from core.store.sql import chunks
from core.store.tables import SHARED, datasets, examples, metrics, slice_examples, slices, stars

NO_FIELDS = "{}"
"""Weighs nothing, as when it was charged."""
MOST_PROBLEMS = 1_000
"""Lines that could not be read are listed up to here; all of them are counted."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A named list of examples; `problems` are the lines that could not be read, `(line, reason)`.

    `imported` says how it was read: plan, shape, counts and notes (`core.datasets.LoadedDataset.kept`).
    """

    id: str
    name: str
    origin: str
    shared: bool
    rows: int
    columns: tuple[str, ...]
    problems: tuple[tuple[int, str], ...]
    imported: Mapping[str, Any]
    revision: int
    created_at: float


class DatasetList:
    """Those that the workspace sees."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def all(self) -> tuple[Dataset, ...]:
        """Those shared by all, then one's own, oldest first."""
        return tuple(self._read())

    def get(self, dataset_id: str) -> Dataset:
        """Raises `AppError` (code "missing") when this workspace has none of that id."""
        for found in self._read(dataset_id):
            return found
        raise AppError("This dataset does not exist (any more).", hint="Choose another.", code="missing")

    def _read(self, dataset_id: str | None = None) -> Iterator[Dataset]:
        live = (examples.c.dataset_id == datasets.c.id) & self._scope.seen & ~examples.c.retired
        count = select(func.count()).select_from(examples).where(live).scalar_subquery()
        query = select(datasets, count.label("rows")).where(
            datasets.c.workspace_id.in_((self._scope.id, SHARED))
        )
        if dataset_id is not None:
            query = query.where(datasets.c.id == dataset_id)
        own = datasets.c.workspace_id != SHARED
        with self._scope.engine.connect() as connection:
            rows = connection.execute(query.order_by(own, datasets.c.created_at, datasets.c.id)).all()
        for row in rows:
            yield Dataset(
                row.id,
                row.name,
                row.origin,
                row.workspace_id == SHARED,
                row.rows,
                tuple(json.loads(row.columns)),
                tuple((line, reason) for line, reason in json.loads(row.problems)),
                json.loads(row.imported),
                row.revision,
                row.created_at,
            )

    def add(
        self,
        name: str,
        rows: Iterable[Example],
        *,
        origin: str = "",
        problems: Sequence[tuple[int, str]] = (),
        imported: Mapping[str, Any] | None = None,
    ) -> Dataset:
        """Keeps `rows` as a new dataset; ids that are taken are replaced. Raises `AppError` past a limit."""
        listed, dataset_id = list(rows), secrets.token_urlsafe(9)
        self._scope.limits.check(listed)
        check_text(name)
        origin = origin.encode("utf-8", "replace").decode()  # a file's name may hold any bytes
        with writing(self._scope.engine) as connection:
            row = dataset_row(self._scope.id, dataset_id, name, origin, "", listed, problems, imported)
            connection.execute(datasets.insert(), [row])
            append(self._scope, connection, dataset_id, listed)
            self._scope.note(connection, f"added the dataset “{name}” with {len(listed):,} examples")
        return self.get(dataset_id)

    def plan_for(self, shape: str) -> Any:
        """What was chosen for the newest dataset whose file had the same columns; None where none had."""
        query = (
            select(datasets.c.imported)
            .where(
                datasets.c.workspace_id == self._scope.id,
                datasets.c.imported.contains(shape, autoescape=True),
            )
            .order_by(datasets.c.created_at.desc())
        )
        with self._scope.engine.connect() as connection:
            kept = [json.loads(text) for text in connection.execute(query).scalars()]
        return next((one.get("plan") for one in kept if one.get("shape") == shape and one.get("plan")), None)

    def remove(self, dataset_id: str) -> None:
        """Removes one's own dataset with its examples. Raises `AppError` for a shared or unknown one."""
        if self.get(dataset_id).shared:
            raise AppError("This dataset comes with the server and cannot be removed.", code="forbidden")
        with writing(self._scope.engine) as connection:
            here = (examples.c.dataset_id == dataset_id) & (examples.c.workspace_id == self._scope.id)
            texts = [examples.c[name] for name in ("prompt", "target", "source", "edit", "fields")]
            query = select(examples.c.id, *texts).where(here)
            gone = [
                (row.id, [t or "" for t in row[1:] if t != NO_FIELDS]) for row in connection.execute(query)
            ]
            for part in chunks([name for name, _ in gone]):
                for table in (stars, metrics):
                    mine = (table.c.workspace_id == self._scope.id) & table.c.example_id.in_(part)
                    connection.execute(delete(table).where(mine))
            connection.execute(
                delete(slice_examples).where(
                    slice_examples.c.slice_id.in_(
                        select(slices.c.id).where(slices.c.dataset_id == dataset_id)
                    )
                )
            )
            connection.execute(delete(datasets).where(datasets.c.id == dataset_id))
            self._scope.note(connection, f"removed a dataset with {len(gone):,} examples ({dataset_id})")
            weight = sum(len(text.encode()) for _, texts in gone for text in texts)
            charge(self._scope, connection, -len(gone), -weight)


def dataset_row(
    workspace: str,
    dataset_id: str,
    name: str,
    origin: str,
    mark: str,
    rows: Sequence[Example],
    problems: Sequence[tuple[int, str]] = (),
    imported: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A row of the table of datasets; `mark` is the content digest of one that is seeded."""
    columns = dict.fromkeys(name for row in rows for name in row.fields)
    return {
        "id": dataset_id,
        "workspace_id": workspace,
        "name": name,
        "origin": origin,
        "digest": mark,
        "columns": json.dumps(list(columns)),
        "problems": json.dumps([[line, reason] for line, reason in problems[:MOST_PROBLEMS]]),
        "imported": json.dumps(dict(imported or {})),
        "revision": 1,
        "created_at": time.time(),
    }
