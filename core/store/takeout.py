"""Everything of a workspace as one ZIP file: JSON Lines, and what was computed in the form of a bundle.

What a visitor may take along before it goes. `core.store.bundle.Bundle` and `core.store.cause_files.CauseFiles` read
the folder `computed` back; a store opened with `bundle=` that folder knows all of it.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from core.records import Generation
from core.store.bundle import generation_to_json, prompt_to_json
from core.store.tables import (
    checks,
    deeds,
    examples,
    generations,
    metrics,
    opinions,
    prompt_tables,
    slice_examples,
    slices,
    stars,
    table_cells,
    views,
    work,
    work_items,
)
from core.store.workspace import Workspace

if TYPE_CHECKING:
    from core.store.store import Store

README = """Everything that this workspace holds. One JSON object a line:
datasets.jsonl  names, origins, how they were read
examples.jsonl  every example with its dataset, lineage, tags and further fields; a file that Whence loads
(“Take in”, in the box Workspace, reads the whole ZIP file: datasets, examples and stars)
answers.jsonl   what models wrote for these prompts
checks.jsonl    what each dataset's answers are checked for
metrics.jsonl   metrics and verdicts, each with the answer that it is of
runs.jsonl, run_rows.jsonl   runs over rows and what came of each row
tables.jsonl, table_cells.jsonl   tables of prompt versions, and their answers with verdicts
opinions.jsonl  what people said of answers
stars, slices, slice_examples, views, deeds: what was marked, saved and done

computed/generations, computed/salience, computed/causes: each answer whole (tokens, probabilities), the maps of these
answers, and the causes found for them, by content address. Unpacked, Whence reads them from Python:
    from core.store.bundle import Bundle; Bundle(Path("computed")).salience(key)
"""
MOST_COMPUTED_BYTES = 500_000_000
"""Maps and causes beyond this are left out, which the README in the file says."""


def takeout(workspace: Workspace, store: Store, most_bytes: int = MOST_COMPUTED_BYTES) -> bytes:
    """The ZIP file's bytes."""
    out = io.BytesIO()
    with workspace.engine.connect() as connection, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        _tables(file, workspace, connection)
        left_out = _computed(file, workspace, store, connection, most_bytes)
        said = f"\nLeft out, because the file would be too large: {left_out:,} maps.\n" if left_out else ""
        file.writestr("README.txt", README + said)
    return out.getvalue()


def _write(file: zipfile.ZipFile, name: str, rows: Iterable[Mapping[Any, Any]]) -> None:
    lines = (json.dumps(dict(row), ensure_ascii=False) + "\n" for row in rows)
    file.writestr(f"{name}.jsonl", "".join(lines))


def _tables(file: zipfile.ZipFile, workspace: Workspace, connection: Connection) -> None:
    here = workspace.id
    own = [one for one in workspace.datasets.all() if not one.shared]
    told = ("id", "name", "origin", "created_at", "problems")
    listed = ({**{n: getattr(d, n) for n in told}, "imported": dict(d.imported)} for d in own)
    _write(file, "datasets", listed)
    names = [c.name for c in examples.c if c.name not in ("seq", "workspace_id", "prompt_key")]
    mine = examples.c.workspace_id == here
    found = connection.execute(select(*(examples.c[c] for c in names)).where(mine).order_by(examples.c.seq))
    _write(file, "examples", ({**dict(row._mapping), "fields": json.loads(row.fields)} for row in found))
    kept = ("key", "model_name", "kind", "sent", "text", "logprob_nats", "stop_reason", "created_at")
    answers = select(examples.c.prompt, *(generations.c[c] for c in kept))
    answers = answers.join(generations, generations.c.prompt_key == examples.c.prompt_key)
    found = connection.execute(answers.where(mine).distinct())
    _write(file, "answers", (dict(row._mapping) for row in found))
    tables = {"checks": checks, "metrics": metrics, "stars": stars, "slices": slices, "views": views}
    tables |= {"deeds": deeds, "runs": work, "tables": prompt_tables, "opinions": opinions}
    for name, table in tables.items():
        columns = [c for c in table.c if c.name not in ("workspace_id", "seq")]
        found = connection.execute(select(*columns).where(table.c.workspace_id == here))
        _write(file, name, (dict(row._mapping) for row in found))
    inside = select(slice_examples).join(slices).where(slices.c.workspace_id == here)
    _write(file, "slice_examples", (dict(row._mapping) for row in connection.execute(inside)))
    cells = select(table_cells).join(prompt_tables).where(prompt_tables.c.workspace_id == here)
    _write(file, "table_cells", (dict(row._mapping) for row in connection.execute(cells)))
    rows = select(work_items).join(work).where(work.c.workspace_id == here)
    _write(file, "run_rows", (dict(row._mapping) for row in connection.execute(rows)))


def _computed(
    file: zipfile.ZipFile, workspace: Workspace, store: Store, connection: Connection, most_bytes: int
) -> int:
    """Writes answers, maps and causes; returns how many maps and causes were too much."""
    query = select(generations.c.key, generations.c.payload, examples.c.prompt, generations.c.sent)
    query = query.join(examples, generations.c.prompt_key == examples.c.prompt_key)
    texts: set[tuple[int, ...]] = set()
    seen: set[str] = set()
    for row in connection.execute(query.where(examples.c.workspace_id == workspace.id)):
        answer = store.unpacked(row.payload)
        if answer is None or row.key in seen:
            continue
        seen.add(row.key)
        texts.add(tuple(map(int, answer.tokens.ids)))
        file.writestr(f"computed/generations/{row.key[:2]}/{row.key}.json", _answer(row.prompt, answer))
    held = left_out = 0
    for path, size in _files_of(store, texts):
        held += size
        if held > most_bytes:
            left_out += 1
            continue
        inside = f"computed/{path.parent.parent.name}/{path.parent.name}/{path.name}"
        file.write(path, inside, zipfile.ZIP_STORED)
    return left_out


def _answer(prompt: str, answer: Generation) -> str:
    plain = {"prompt": prompt_to_json(prompt), "generation": generation_to_json(answer)}
    return json.dumps(plain, ensure_ascii=False)


def _files_of(store: Store, texts: set[tuple[int, ...]]) -> Iterator[tuple[Path, int]]:
    for path in (*store.causes.of(texts), *store.maps_of(texts)):
        yield path, path.stat().st_size
