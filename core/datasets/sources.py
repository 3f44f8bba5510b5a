"""The places that examples come from, each with what the form needs to say about it.

Knows no page: the form is drawn from `SOURCES`. Nothing here is asked unless a person (or DATASETS at
start-up) names a place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core import plugins
from core.datasets.bounds import Bounds, too_large
from core.datasets.examples import LoadedDataset
from core.datasets.formats import load_rows, open_bytes
from core.datasets.hub import open_hub
from core.datasets.plan import ColumnPlan
from core.datasets.rows import FileRows
from core.datasets.web import fetch
from core.errors import AppError
from core.family import find


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A kind of place; `open(where, bounds)` reads the rows of what a person wrote as `where`."""

    name: str
    label: str
    description: str
    placeholder: str
    hosted: bool
    """Whether strangers may use it."""
    open: Callable[[str, Bounds], FileRows]

    def load(self, where: str, bounds: Bounds, plan: ColumnPlan | None = None) -> LoadedDataset:
        """The examples at `where`. Raises: AppError as `core.datasets.load_bytes` does."""
        return load_rows(self.open(where, bounds), bounds, plan)


def open_path(where: str, bounds: Bounds, *, name: str = "") -> FileRows:
    """A file of this machine. Raises `AppError`; always in hosted mode."""
    if bounds.hosted:
        raise AppError("Files of the server cannot be read here.", hint="Upload the file.", code="forbidden")
    path = Path(where.strip()).expanduser()
    try:
        size = path.stat().st_size
        if size > bounds.max_bytes:
            raise too_large(f"The file “{path.name}”", size, bounds)
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no name of a file"
        raise AppError(
            f"“{where}” cannot be read: {reason}.", hint="Check the path.", code="missing"
        ) from error
    return open_bytes(data, path.name, bounds, name=name, origin=str(path))


def open_url(where: str, bounds: Bounds, *, name: str = "") -> FileRows:
    """A file of the web; see `core.datasets.web` for what is refused."""
    found = fetch(where, bounds)
    return open_bytes(found.data, found.file_name, bounds, name=name, origin=found.url)


SOURCES: tuple[Source, ...] = plugins.extended(
    "whence.sources",
    Source,
    (
        Source(
            name="path",
            label="File on this machine",
            description="A path that Whence can open",
            placeholder="data/menu.jsonl",
            hosted=False,
            open=open_path,
        ),
        Source(
            name="url",
            label="Web address",
            description="A file that is open to all",
            placeholder="https://example.org/menu.csv",
            hosted=True,
            open=open_url,
        ),
        Source(
            name="hub",
            label="Hugging Face dataset",
            description="Read from the hub's Parquet form",
            placeholder="owner/name",
            hosted=True,
            open=open_hub,
        ),
    ),
)


def source(name: str) -> Source:
    """The source called `name`. Raises: AppError that lists what there is."""
    return find("source of datasets", SOURCES, name)


def offered(bounds: Bounds) -> tuple[Source, ...]:
    """The sources that whoever asks may use; the hub's for strangers only where the operator listed datasets."""
    if not bounds.hosted:
        return SOURCES
    hub = bool(bounds.visitor_datasets)
    return tuple(one for one in SOURCES if one.hosted and (hub or one.name != "hub"))
