"""`DATASETS=name:path,name:path` at start-up. A path may be a web address; the operator may name both.

How the columns are to be read stands behind the path, `menu.csv?prompt=question&target=answer`, or in a small file
beside it, `menu.csv.columns.json`, as `{"prompt": "question", "target": "answer"}`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from core.datasets.bounds import Bounds
from core.datasets.examples import LoadedDataset
from core.datasets.formats import load_rows
from core.datasets.plan import BESIDE, ColumnPlan, from_file, from_query
from core.datasets.sources import open_path, open_url
from core.errors import AppError

_NAMED = re.compile(r"(?P<name>[^:,/\\]+):(?P<where>.+)", re.DOTALL)


def parse_datasets(listed: str) -> tuple[tuple[str, str], ...]:
    """`name:path,name:path` as pairs; a path alone is called by its file's name.

    Raises `AppError` for an empty path or a name given twice.
    """
    pairs: list[tuple[str, str]] = []
    for entry in (part.strip() for part in listed.split(",")):
        if not entry:
            continue
        named = _NAMED.fullmatch(entry)
        if named and not named["where"].startswith("//"):
            name, where = named["name"].strip(), named["where"].strip()
        else:
            name, where = PurePath(re.split(r"[?#]", entry)[0]).stem, entry
        if not name or not where:
            raise AppError(f"DATASETS should read name:path,name:path; “{entry}” does not.")
        if name in dict(pairs):
            raise AppError(f"DATASETS names “{name}” twice.", hint="Give each dataset its own name.")
        pairs.append((name, where))
    return tuple(pairs)


@dataclass(frozen=True, slots=True)
class DatasetPlace:
    """Where a dataset of DATASETS is, how its columns are to be read (None: as proposed), and who says so."""

    where: str
    plan: ColumnPlan | None = None
    beside: Path | None = None
    """The small file that holds the plan."""


def place_of(where: str) -> DatasetPlace:
    """`where` with its plan: behind “?” (or “#”, for an address), or in a file beside the data.

    A file whose own name holds the sign is taken as it is. Raises `AppError` for a plan that cannot be read.
    """
    address = where.startswith(("http://", "https://"))
    if not address and Path(where).expanduser().is_file():
        return _beside(where)
    for mark in "#?":
        bare, found, query = where.rpartition(mark)
        plan = from_query(query) if found and bare else None
        if plan is not None:
            return DatasetPlace(bare, plan)
    return DatasetPlace(where) if address else _beside(where)


def _beside(where: str) -> DatasetPlace:
    file = Path(f"{where}{BESIDE}").expanduser()
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return DatasetPlace(where)
    return DatasetPlace(where, from_file(text, file.name), file)


def load_startup(where: str, bounds: Bounds, *, name: str = "") -> LoadedDataset:
    """One entry of DATASETS; what is refused to visitors of a hosted server is open to its operator.

    With `name`, the examples' ids depend on it and not on the file's name.
    """
    own = replace(bounds, hosted=False, token="")
    place = place_of(where)
    load = open_url if place.where.startswith(("http://", "https://")) else open_path
    return load_rows(load(place.where, own, name=name), own, place.plan)
