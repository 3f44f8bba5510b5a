"""Examples as rows and rows as examples; JSON of the lists and of the further fields. Decides nothing."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row

from core.records import Example
from core.store.keys import prompt_key
from core.store.limits import fields_json
from core.store.sql import chunks
from core.store.tables import examples

_INSERT_ROWS = 10_000


def new_id() -> str:
    """A fresh example id: 72 random bits."""
    return secrets.token_urlsafe(9)


def insert_examples(connection: Connection, workspace: str, dataset: str, rows: Sequence[Example]) -> None:
    """Appends rows as they are; the caller has checked ids and limits."""
    now = time.time()
    for part in chunks(rows, _INSERT_ROWS):
        connection.execute(
            examples.insert(),
            [
                {
                    "id": row.id,
                    "workspace_id": workspace,
                    "dataset_id": dataset,
                    "prompt": row.prompt,
                    "prompt_key": prompt_key(row.prompt),
                    "target": row.target,
                    "source": row.source,
                    "parent_id": row.parent_id,
                    "edit": row.edit,
                    "tags": json.dumps(list(row.tags)),
                    "fields": fields_json(row),
                    "retired": False,
                    "created_at": now,
                }
                for row in part
            ],
        )


def to_example(row: Row[Any]) -> Example:
    return Example(
        id=row.id,
        prompt=row.prompt,
        target=row.target,
        source=row.source,
        parent_id=row.parent_id,
        edit=row.edit,
        tags=tuple(json.loads(row.tags)),
        fields=json.loads(row.fields),
    )
