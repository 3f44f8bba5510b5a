"""`DATASETS=name:path,name:path` at start-up. A path may be a web address; the operator may name both."""

from __future__ import annotations

import re
from pathlib import PurePath

from core.datasets.reading import Bounds, LoadedDataset
from core.datasets.sources import load_path, load_url
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
            name, where = PurePath(entry).stem, entry
        if not name or not where:
            raise AppError(f"DATASETS should read name:path,name:path; “{entry}” does not.")
        if name in dict(pairs):
            raise AppError(f"DATASETS names “{name}” twice.", hint="Give each dataset its own name.")
        pairs.append((name, where))
    return tuple(pairs)


def load_startup(where: str, bounds: Bounds, *, name: str = "") -> LoadedDataset:
    """One entry of DATASETS; what is refused to visitors of a hosted server is open to its operator.

    With `name`, the examples' ids depend on it and not on the file's name.
    """
    own = Bounds(bounds.max_examples, bounds.max_prompt_chars, bounds.max_bytes, bounds.timeout_seconds)
    load = load_url if where.startswith(("http://", "https://")) else load_path
    return load(where, own, name=name)
