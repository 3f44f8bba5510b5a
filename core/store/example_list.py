"""The examples of a workspace, and which came from which.

Nothing here replaces an example: `add` appends, an edit carries its `parent_id`. A visitor's own additions to a
shared dataset are seen by that visitor's workspace only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, select, update
from sqlalchemy.exc import IntegrityError

from core.errors import AppError
from core.records import Example
from core.store.appending import append
from core.store.dataset_list import DatasetList
from core.store.engine import writing
from core.store.rows import to_example
from core.store.scope import Scope
from core.store.sql import chunks
from core.store.tables import SHARED, datasets, examples


class ExampleList:
    """Those that the workspace sees."""

    def __init__(self, scope: Scope, datasets: DatasetList) -> None:
        self._scope, self._datasets = scope, datasets

    def of(
        self, dataset_id: str, ids: Sequence[str] | None = None, *, limit: int | None = None
    ) -> list[Example]:
        """Examples of a dataset in their order, the first `limit`; with `ids` those, in that order."""
        here = (examples.c.dataset_id == dataset_id) & self._scope.seen
        if ids is None:
            listed = select(examples).where(here, ~examples.c.retired).order_by(examples.c.seq)
            return self._read(listed.limit(limit))
        found = {
            example.id: example
            for part in chunks(ids)
            for example in self._read(select(examples).where(here, examples.c.id.in_(part)))
        }
        return [found[name] for name in ids if name in found]

    def get(self, example_id: str) -> Example:
        """Raises `AppError` (code "missing") when this workspace sees none of that id."""
        return self._one(example_id)[0]

    def dataset_of(self, example_id: str) -> str:
        """The id of the dataset that holds the example."""
        return self._one(example_id)[1]

    def _one(self, example_id: str) -> tuple[Example, str]:
        own_first = examples.c.workspace_id == SHARED
        query = select(examples).where(self._scope.seen, examples.c.id == example_id).order_by(own_first)
        with self._scope.engine.connect() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise AppError("This example does not exist (any more).", hint="Choose another.", code="missing")
        return to_example(row), row.dataset_id

    def add_one(self, dataset_id: str, example: Example) -> Example:
        """Appends `example`; the returned one has the id it was kept under."""
        return self.add(dataset_id, [example])[0]

    def add(self, dataset_id: str, rows: Sequence[Example]) -> list[Example]:
        """Appends `rows` to a dataset, one's own or a shared one; ids that are taken are replaced."""
        self._scope.limits.check(rows)
        self._datasets.get(dataset_id)
        for attempt in (1, 2):
            try:
                with writing(self._scope.engine) as connection:
                    kept = append(self._scope, connection, dataset_id, rows)
                    named = f"example {kept[0].id}" if len(kept) == 1 else f"{len(kept):,} examples"
                    self._scope.note(connection, f"added {named}")
                    _new_revision(connection, dataset_id)
                return kept
            except IntegrityError:  # another server process took an id between the look and the insert
                if attempt == 2:
                    raise
        raise AssertionError("unreachable")

    def retire(self, ids: Sequence[str], *, retired: bool = True) -> None:
        """Takes one's own examples out of the table, or puts them back; links to them go on working."""
        mine = examples.c.workspace_id == self._scope.id
        with writing(self._scope.engine) as connection:
            for part in chunks(ids):
                here = mine & examples.c.id.in_(part)
                for name in connection.execute(
                    select(examples.c.dataset_id).where(here).distinct()
                ).scalars():
                    _new_revision(connection, name)
                connection.execute(update(examples).where(here).values(retired=retired))
            named = f"example {ids[0]}" if len(ids) == 1 else f"{len(ids):,} examples"
            self._scope.note(connection, f"removed {named}" if retired else f"put {named} back")

    def retired(self, dataset_id: str) -> list[str]:
        """Ids of one's own examples that were taken out of the table."""
        here = (examples.c.dataset_id == dataset_id) & (examples.c.workspace_id == self._scope.id)
        query = select(examples.c.id).where(here, examples.c.retired).order_by(examples.c.seq)
        with self._scope.engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def lineage(self, example_id: str) -> tuple[Example, ...]:
        """The example's whole family: the first ancestor, then every descendant, in order of age."""
        top, seen = self.get(example_id), {example_id}
        while top.parent_id and top.parent_id not in seen:
            try:
                top = self.get(top.parent_id)
            except AppError:
                break
            seen.add(top.id)
        family = select(examples.c.seq, examples.c.id).where(self._scope.seen, examples.c.id == top.id)
        tree = family.cte("family", recursive=True)
        child = examples.alias()
        visible = child.c.workspace_id.in_((self._scope.id, SHARED))
        tree = tree.union(select(child.c.seq, child.c.id).where(visible, child.c.parent_id == tree.c.id))
        return tuple(
            self._read(
                select(examples).where(examples.c.seq.in_(select(tree.c.seq))).order_by(examples.c.seq)
            )
        )

    def _read(self, query: Select[Any]) -> list[Example]:
        with self._scope.engine.connect() as connection:
            return [to_example(row) for row in connection.execute(query)]


def _new_revision(connection: Connection, dataset_id: str) -> None:
    change = {"revision": datasets.c.revision + 1}
    connection.execute(update(datasets).where(datasets.c.id == dataset_id).values(change))
