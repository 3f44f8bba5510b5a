"""One workspace: its datasets and examples, their lineage, stars, slices, metrics and saved views.

Nothing here replaces an example: `add_examples` appends, an edit carries its `parent_id`. Rows of the shared
workspace are seen by all and changed by none; a visitor's own additions to a shared dataset are seen by that
visitor's workspace only. Limits are charged in the same transaction as the rows, so two sessions cannot pass
them together.

Knows no model: what was answered is found by the prompt's digest.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Select, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from core.errors import AppError
from core.records import Example
from core.store.engine import writing
from core.store.limits import NO_LIMIT, check_text, site_full, text_bytes
from core.store.results import ResultStore
from core.store.rows import insert_examples, new_id, to_example
from core.store.sql import chunks
from core.store.tables import SHARED, datasets, examples, metrics, slice_examples, slices, stars, workspaces

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


class Workspace(ResultStore):
    """What one person, or those who share a link, see and add. Made by `Store.workspace`."""

    # --- datasets

    def datasets(self) -> tuple[Dataset, ...]:
        """Those shared by all, then one's own, oldest first."""
        return tuple(self._datasets())

    def dataset(self, dataset_id: str) -> Dataset:
        """Raises `AppError` (code "missing") when this workspace has none of that id."""
        for found in self._datasets(dataset_id):
            return found
        raise AppError("This dataset does not exist (any more).", hint="Choose another.", code="missing")

    def _datasets(self, dataset_id: str | None = None) -> Iterator[Dataset]:
        live = (examples.c.dataset_id == datasets.c.id) & self._seen & ~examples.c.retired
        count = select(func.count()).select_from(examples).where(live).scalar_subquery()
        query = select(datasets, count.label("rows")).where(datasets.c.workspace_id.in_((self.id, SHARED)))
        if dataset_id is not None:
            query = query.where(datasets.c.id == dataset_id)
        own = datasets.c.workspace_id != SHARED
        with self.engine.connect() as connection:
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

    def add_dataset(
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
        self.limits.check(listed)
        check_text(name)
        origin = origin.encode("utf-8", "replace").decode()  # a file's name may hold any bytes
        with writing(self.engine) as connection:
            row = self.dataset_row(self.id, dataset_id, name, origin, "", listed, problems, imported)
            connection.execute(datasets.insert(), [row])
            self._append(connection, dataset_id, listed)
            self.note(connection, f"added the dataset “{name}” with {len(listed):,} examples")
        return self.dataset(dataset_id)

    def plan_for(self, shape: str) -> Any:
        """What was chosen for the newest dataset whose file had the same columns; None where none had."""
        query = (
            select(datasets.c.imported)
            .where(datasets.c.workspace_id == self.id, datasets.c.imported.contains(shape, autoescape=True))
            .order_by(datasets.c.created_at.desc())
        )
        with self.engine.connect() as connection:
            kept = [json.loads(text) for text in connection.execute(query).scalars()]
        return next((one.get("plan") for one in kept if one.get("shape") == shape and one.get("plan")), None)

    def remove_dataset(self, dataset_id: str) -> None:
        """Removes one's own dataset with its examples. Raises `AppError` for a shared or unknown one."""
        if self.dataset(dataset_id).shared:
            raise AppError("This dataset comes with the server and cannot be removed.", code="forbidden")
        with writing(self.engine) as connection:
            here = (examples.c.dataset_id == dataset_id) & (examples.c.workspace_id == self.id)
            texts = [examples.c[name] for name in ("prompt", "target", "source", "edit")]
            query = select(examples.c.id, *texts).where(here)
            gone = [(row.id, [t or "" for t in row[1:]]) for row in connection.execute(query)]
            for part in chunks([name for name, _ in gone]):
                for table in (stars, metrics):
                    mine = (table.c.workspace_id == self.id) & table.c.example_id.in_(part)
                    connection.execute(delete(table).where(mine))
            connection.execute(
                delete(slice_examples).where(
                    slice_examples.c.slice_id.in_(
                        select(slices.c.id).where(slices.c.dataset_id == dataset_id)
                    )
                )
            )
            connection.execute(delete(datasets).where(datasets.c.id == dataset_id))
            self.note(connection, f"removed a dataset with {len(gone):,} examples ({dataset_id})")
            weight = sum(len(text.encode()) for _, texts in gone for text in texts)
            self._charge(connection, -len(gone), -weight)

    @staticmethod
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

    # --- examples

    def examples(
        self, dataset_id: str, ids: Sequence[str] | None = None, *, limit: int | None = None
    ) -> list[Example]:
        """Examples of a dataset in their order, the first `limit`; with `ids` those, in that order."""
        here = (examples.c.dataset_id == dataset_id) & self._seen
        if ids is None:
            listed = select(examples).where(here, ~examples.c.retired).order_by(examples.c.seq)
            return self._read(listed.limit(limit))
        found = {
            example.id: example
            for part in chunks(ids)
            for example in self._read(select(examples).where(here, examples.c.id.in_(part)))
        }
        return [found[name] for name in ids if name in found]

    def example(self, example_id: str) -> Example:
        """Raises `AppError` (code "missing") when this workspace sees none of that id."""
        return self._one(example_id)[0]

    def dataset_of(self, example_id: str) -> str:
        """The id of the dataset that holds the example."""
        return self._one(example_id)[1]

    def _one(self, example_id: str) -> tuple[Example, str]:
        own_first = examples.c.workspace_id == SHARED
        query = select(examples).where(self._seen, examples.c.id == example_id).order_by(own_first)
        with self.engine.connect() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise AppError("This example does not exist (any more).", hint="Choose another.", code="missing")
        return to_example(row), row.dataset_id

    def add_example(self, dataset_id: str, example: Example) -> Example:
        """Appends `example`; the returned one has the id it was kept under."""
        return self.add_examples(dataset_id, [example])[0]

    def add_examples(self, dataset_id: str, rows: Sequence[Example]) -> list[Example]:
        """Appends `rows` to a dataset, one's own or a shared one; ids that are taken are replaced."""
        self.limits.check(rows)
        self.dataset(dataset_id)
        for attempt in (1, 2):
            try:
                with writing(self.engine) as connection:
                    kept = self._append(connection, dataset_id, rows)
                    named = f"example {kept[0].id}" if len(kept) == 1 else f"{len(kept):,} examples"
                    self.note(connection, f"added {named}")
                    _touch(connection, dataset_id)
                return kept
            except IntegrityError:  # another server process took an id between the look and the insert
                if attempt == 2:
                    raise
        raise AssertionError("unreachable")

    def retire(self, ids: Sequence[str], *, retired: bool = True) -> None:
        """Takes one's own examples out of the table, or puts them back; links to them go on working."""
        mine = examples.c.workspace_id == self.id
        with writing(self.engine) as connection:
            for part in chunks(ids):
                here = mine & examples.c.id.in_(part)
                for name in connection.execute(
                    select(examples.c.dataset_id).where(here).distinct()
                ).scalars():
                    _touch(connection, name)
                connection.execute(update(examples).where(here).values(retired=retired))

    def retired(self, dataset_id: str) -> list[str]:
        """Ids of one's own examples that were taken out of the table."""
        here = (examples.c.dataset_id == dataset_id) & (examples.c.workspace_id == self.id)
        query = select(examples.c.id).where(here, examples.c.retired).order_by(examples.c.seq)
        with self.engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def lineage(self, example_id: str) -> tuple[Example, ...]:
        """The example's whole family: the first ancestor, then every descendant, in order of age."""
        top, seen = self.example(example_id), {example_id}
        while top.parent_id and top.parent_id not in seen:
            try:
                top = self.example(top.parent_id)
            except AppError:
                break
            seen.add(top.id)
        family = select(examples.c.seq, examples.c.id).where(self._seen, examples.c.id == top.id)
        tree = family.cte("family", recursive=True)
        child = examples.alias()
        visible = child.c.workspace_id.in_((self.id, SHARED))
        tree = tree.union(select(child.c.seq, child.c.id).where(visible, child.c.parent_id == tree.c.id))
        return tuple(
            self._read(
                select(examples).where(examples.c.seq.in_(select(tree.c.seq))).order_by(examples.c.seq)
            )
        )

    def _read(self, query: Select[Any]) -> list[Example]:
        with self.engine.connect() as connection:
            return [to_example(row) for row in connection.execute(query)]

    def _append(self, connection: Connection, dataset_id: str, rows: Sequence[Example]) -> list[Example]:
        ids = [row.id for row in rows]
        taken: set[str] = set()
        for part in chunks(ids):
            query = select(examples.c.id).where(self._seen, examples.c.id.in_(part))
            taken.update(connection.execute(query).scalars())
        renamed, kept = {}, []
        for row in rows:
            if row.id in taken:
                renamed[row.id] = new_id()
                row = replace(row, id=renamed[row.id])
            taken.add(row.id)
            kept.append(row)
        if renamed:
            within = set(ids)
            kept = [
                replace(row, parent_id=renamed[row.parent_id])
                if row.parent_id in within and row.parent_id in renamed
                else row
                for row in kept
            ]
        self._charge(connection, len(kept), sum(map(text_bytes, kept)))
        insert_examples(connection, self.id, dataset_id, kept)
        return kept

    def _charge(self, connection: Connection, count: int, weight: int) -> None:
        here = workspaces.c.id == self.id
        change = update(workspaces).where(here)
        if count > 0:
            change = change.where(
                workspaces.c.examples + count <= self.limits.examples,
                workspaces.c.stored_bytes + weight <= self.limits.stored_bytes,
            )
            if self.limits.all_bytes < NO_LIMIT:
                together = select(func.coalesce(func.sum(workspaces.c.stored_bytes), 0))
                held_by_all = int(connection.execute(together).scalar_one())
                if held_by_all + weight > self.limits.all_bytes:
                    raise site_full(held_by_all, self.limits.all_bytes, "bytes of text")
        grown = {
            "examples": workspaces.c.examples + count,
            "stored_bytes": workspaces.c.stored_bytes + weight,
        }
        if connection.execute(change.values(grown)).rowcount == 1:
            return
        held = connection.execute(select(workspaces).where(here)).one()
        if held.examples + count > self.limits.examples:
            raise self.limits.too_many(held.examples, count)
        raise self.limits.too_large(held.stored_bytes, weight)


def _touch(connection: Connection, dataset_id: str) -> None:
    change = {"revision": datasets.c.revision + 1}
    connection.execute(update(datasets).where(datasets.c.id == dataset_id).values(change))
