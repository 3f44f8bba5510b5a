"""Rows into the table of examples, and what they weigh against the workspace's limits, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, case, func, select, update

from core.records import Example
from core.store.limits import NO_LIMIT, site_full, text_bytes
from core.store.rows import insert_examples, new_id
from core.store.scope import Scope
from core.store.sql import chunks
from core.store.tables import examples, workspaces


def append(scope: Scope, connection: Connection, dataset_id: str, rows: Sequence[Example]) -> list[Example]:
    """Adds `rows` to a dataset, charged against the limits. Ids that are taken are replaced."""
    ids = [row.id for row in rows]
    taken: set[str] = set()
    for part in chunks(ids):
        query = select(examples.c.id).where(scope.seen, examples.c.id.in_(part))
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
    charge(scope, connection, len(kept), sum(map(text_bytes, kept)))
    insert_examples(connection, scope.id, dataset_id, kept)
    return kept


def charge(scope: Scope, connection: Connection, count: int, weight: int) -> None:
    """Counts `count` more examples (fewer below 0) of `weight` bytes. Raises: AppError past a limit."""
    here = workspaces.c.id == scope.id
    change = update(workspaces).where(here)
    if count > 0:
        change = change.where(
            workspaces.c.examples + count <= scope.limits.examples,
            workspaces.c.stored_bytes + weight <= scope.limits.stored_bytes,
        )
        if scope.limits.all_bytes < NO_LIMIT:
            together = select(func.coalesce(func.sum(workspaces.c.stored_bytes), 0))
            held_by_all = int(connection.execute(together).scalar_one())
            held_by_all += scope.limits.computed_bytes()
            if held_by_all + weight > scope.limits.all_bytes:
                raise site_full(held_by_all, scope.limits.all_bytes, "bytes of texts, answers and maps")
    # Earlier versions charged fewer bytes than are given back now: never below nothing.
    bytes_then = workspaces.c.stored_bytes + weight
    grown = {
        "examples": workspaces.c.examples + count,
        "stored_bytes": case((bytes_then < 0, 0), else_=bytes_then),
    }
    if connection.execute(change.values(grown)).rowcount == 1:
        return
    held = connection.execute(select(workspaces).where(here)).one()
    if held.examples + count > scope.limits.examples:
        raise scope.limits.too_many(held.examples, count)
    raise scope.limits.too_large(held.stored_bytes, weight)
