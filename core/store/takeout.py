"""Everything of a workspace as one ZIP file of JSON Lines: what a visitor may take along before it goes."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from core.store.tables import deeds, examples, generations, metrics, slice_examples, slices, stars, views
from core.store.workspace import Workspace

README = """Everything that this workspace holds, one JSON object a line:
datasets.jsonl  names, origins, how they were read
examples.jsonl  every example with its dataset, lineage, tags and further fields; a file that Whence loads
answers.jsonl   what models wrote for these prompts
metrics, stars, slices, views, deeds: what was computed, marked, saved and done
"""


def takeout(workspace: Workspace) -> bytes:
    """The ZIP file's bytes."""
    here = workspace.id
    tables = {"metrics": metrics, "stars": stars, "slices": slices, "views": views, "deeds": deeds}
    out = io.BytesIO()
    with workspace.engine.connect() as connection, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:

        def write(name: str, rows: Iterable[Mapping[Any, Any]]) -> None:
            file.writestr(
                f"{name}.jsonl", "".join(json.dumps(dict(row), ensure_ascii=False) + "\n" for row in rows)
            )

        file.writestr("README.txt", README)
        own = [one for one in workspace.datasets.all() if not one.shared]
        write(
            "datasets",
            ({"id": d.id, "name": d.name, "origin": d.origin, "created_at": d.created_at} for d in own),
        )
        names = [c.name for c in examples.c if c.name not in ("seq", "workspace_id", "prompt_key")]
        mine = examples.c.workspace_id == here
        found = connection.execute(
            select(*(examples.c[c] for c in names)).where(mine).order_by(examples.c.seq)
        )
        write("examples", ({**dict(row._mapping), "fields": json.loads(row.fields)} for row in found))
        told = ("model_name", "kind", "sent", "text", "logprob_nats", "stop_reason", "created_at")
        answers = select(examples.c.prompt, *(generations.c[c] for c in told))
        answers = answers.join(generations, generations.c.prompt_key == examples.c.prompt_key)
        write("answers", (dict(row._mapping) for row in connection.execute(answers.where(mine).distinct())))
        for name, table in tables.items():
            kept = [c for c in table.c if c.name not in ("workspace_id", "seq")]
            query = select(*kept).where(table.c.workspace_id == here)
            write(name, (dict(row._mapping) for row in connection.execute(query)))
        inside = select(slice_examples).join(slices).where(slices.c.workspace_id == here)
        write("slice_examples", (dict(row._mapping) for row in connection.execute(inside)))
    return out.getvalue()
