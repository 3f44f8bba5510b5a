"""What a person marks in a workspace: stars, and slices (named subsets of a dataset).

Both are sets: adding and taking away are single rows, so two sessions never undo each other. Knows nothing
of what an example holds.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select

from core.errors import AppError
from core.store.engine import writing
from core.store.limits import check_text
from core.store.scope import Scope
from core.store.sql import chunks, insert_new, upsert
from core.store.tables import checks, slice_examples, slices, stars


@dataclass(frozen=True, slots=True)
class DatasetChecks:
    """Conditions as JSON values (`core.checks.to_json`), and columns of the file in which answers stand."""

    conditions: tuple[Any, ...] = ()
    answer_columns: tuple[str, ...] = ()


class Marks:
    """Stars, slices and checks of one workspace."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    # --- stars and slices

    def star(self, ids: Sequence[str], *, on: bool = True) -> None:
        """Marks examples, or takes the mark away."""
        with writing(self._scope.engine) as connection:
            if on:
                rows = [{"workspace_id": self._scope.id, "example_id": name} for name in ids]
                insert_new(connection, stars, rows, ("workspace_id", "example_id"))
            else:
                for part in chunks(ids):
                    here = (stars.c.workspace_id == self._scope.id) & stars.c.example_id.in_(part)
                    connection.execute(delete(stars).where(here))
            said = "starred" if on else "took the star from"
            self._scope.note(connection, f"{said} {_named(ids)}")

    def starred(self) -> frozenset[str]:
        """Ids of the examples with a star."""
        with self._scope.engine.connect() as connection:
            query = select(stars.c.example_id).where(stars.c.workspace_id == self._scope.id)
            return frozenset(connection.execute(query).scalars())

    def slices(self, dataset_id: str) -> dict[str, int]:
        """Names of the dataset's slices and how many examples each holds, oldest first."""
        inside = slice_examples.c.slice_id == slices.c.id
        count = select(func.count()).select_from(slice_examples).where(inside).scalar_subquery()
        query = select(slices.c.name, count).where(self._slices(dataset_id)).order_by(slices.c.created_at)
        with self._scope.engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def slice(self, dataset_id: str, name: str) -> tuple[str, ...]:
        """Ids of the examples in a slice."""
        inside = slice_examples.c.slice_id == slices.c.id
        query = select(slice_examples.c.example_id).join(slices, inside)
        with self._scope.engine.connect() as connection:
            rows = connection.execute(query.where(self._slices(dataset_id), slices.c.name == name))
            return tuple(sorted(rows.scalars()))

    def add_to_slice(self, dataset_id: str, name: str, ids: Sequence[str]) -> None:
        """Puts examples into the slice `name`, which is made if need be."""
        if not name.strip():
            raise AppError("A slice needs a name.")
        check_text(name)
        keys = ("workspace_id", "dataset_id", "name")
        row = {
            "id": secrets.token_urlsafe(9),
            "workspace_id": self._scope.id,
            "dataset_id": dataset_id,
            "name": name.strip(),
            "created_at": time.time(),
        }
        with writing(self._scope.engine) as connection:
            insert_new(connection, slices, [row], keys)
            where = self._slices(dataset_id) & (slices.c.name == row["name"])
            found = connection.execute(select(slices.c.id).where(where)).scalar_one()
            rows = [{"slice_id": found, "example_id": item} for item in ids]
            insert_new(connection, slice_examples, rows, ("slice_id", "example_id"))
            self._scope.note(connection, f"put {_named(ids)} into the slice “{row['name']}”")

    def take_from_slice(self, dataset_id: str, name: str, ids: Sequence[str]) -> None:
        """Takes examples out of a slice."""
        where = select(slices.c.id).where(self._slices(dataset_id), slices.c.name == name)
        with writing(self._scope.engine) as connection:
            for part in chunks(ids):
                here = slice_examples.c.slice_id.in_(where) & slice_examples.c.example_id.in_(part)
                connection.execute(delete(slice_examples).where(here))
            self._scope.note(connection, f"took {_named(ids)} out of the slice “{name}”")

    def remove_slice(self, dataset_id: str, name: str) -> None:
        """Removes the name; the examples stay."""
        with writing(self._scope.engine) as connection:
            connection.execute(delete(slices).where(self._slices(dataset_id), slices.c.name == name))
            self._scope.note(connection, f"removed the slice “{name}”")

    def _slices(self, dataset_id: str) -> Any:
        return (slices.c.workspace_id == self._scope.id) & (slices.c.dataset_id == dataset_id)

    # --- what answers are checked for

    def checks(self, dataset_id: str) -> DatasetChecks:
        """What this workspace checks the dataset's answers for; nothing until it says so."""
        here = (checks.c.workspace_id == self._scope.id) & (checks.c.dataset_id == dataset_id)
        with self._scope.engine.connect() as connection:
            row = connection.execute(select(checks).where(here)).first()
        if row is None:
            return DatasetChecks()
        return DatasetChecks(tuple(json.loads(row.conditions)), tuple(json.loads(row.answer_columns)))

    def save_checks(self, dataset_id: str, kept: DatasetChecks) -> None:
        """Keeps `kept` in place of what was there."""
        row = {"workspace_id": self._scope.id, "dataset_id": dataset_id}
        row |= {"conditions": json.dumps(kept.conditions), "answer_columns": json.dumps(kept.answer_columns)}
        with writing(self._scope.engine) as connection:
            upsert(connection, checks, [row], ("workspace_id", "dataset_id"))
            self._scope.note(connection, f"set {len(kept.conditions)} checks for the dataset {dataset_id}")


def _named(ids: Sequence[str]) -> str:
    return f"example {ids[0]}" if len(ids) == 1 else f"{len(ids):,} examples"
