"""The few statements that SQLite and PostgreSQL spell in their own dialect, and lists cut to size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Item = TypeVar("Item")


def chunks(items: Sequence[Item], size: int = 5_000) -> Iterator[Sequence[Item]]:
    """`items` in parts that every database takes as the parameters of one statement."""
    return (items[i : i + size] for i in range(0, len(items), size))


def _insert(connection: Connection, table: Table) -> Any:
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def insert_new(
    connection: Connection, table: Table, rows: list[dict[str, Any]], keys: tuple[str, ...]
) -> None:
    """Inserts the rows whose `keys` are not there yet; others stay as they are."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(index_elements=keys), rows)


def upsert(connection: Connection, table: Table, rows: list[dict[str, Any]], keys: tuple[str, ...]) -> None:
    """Inserts rows; of one whose `keys` are there, the other columns are replaced."""
    if rows:
        statement = _insert(connection, table)
        rest = {name: statement.excluded[name] for name in rows[0] if name not in keys}
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=rest), rows)
