"""The file formats, each with its names and its reader. Adding one is a file and a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from core.datasets.csv_file import read_csv
from core.datasets.jsonl import read_json, read_jsonl
from core.datasets.parquet import read_parquet
from core.datasets.reading import Bounds, LoadedDataset, Reading, to_examples, too_large
from core.datasets.txt import read_txt
from core.errors import AppError


@dataclass(frozen=True, slots=True)
class Format:
    """How a kind of file is called, recognised and read."""

    name: str
    label: str
    description: str
    extensions: tuple[str, ...]
    read: Callable[[bytes], Reading]


FORMATS: tuple[Format, ...] = (
    Format(
        "jsonl",
        "JSON Lines",
        "one object a line with “prompt”, and “target” and “source” if there are any",
        (".jsonl", ".ndjson"),
        read_jsonl,
    ),
    Format("json", "JSON", "a list of such objects", (".json",), read_json),
    Format("csv", "CSV", "a header with “prompt”, then one example a row", (".csv", ".tsv"), read_csv),
    Format("txt", "Text", "one prompt a line", (".txt",), read_txt),
    Format("parquet", "Parquet", "a table with the column “prompt”", (".parquet",), read_parquet),
)


def format_of(file_name: str) -> Format:
    """The format by the file's ending. Raises `AppError` naming those that are read."""
    ending = PurePosixPath(file_name.casefold()).suffix
    for known in FORMATS:
        if ending in known.extensions:
            return known
    names = ", ".join(end for known in FORMATS for end in known.extensions)
    raise AppError(f"Files that end in “{ending or file_name}” are not read.", hint=f"These are: {names}.")


def load_bytes(
    data: bytes, file_name: str, bounds: Bounds, *, name: str = "", origin: str = ""
) -> LoadedDataset:
    """The examples in a file's bytes. Raises `AppError` when nothing of it can be read."""
    if len(data) > bounds.max_bytes:
        raise too_large(f"The file “{file_name}”", len(data), bounds)
    known = format_of(file_name)
    called = name or PurePosixPath(file_name).stem or known.label
    return to_examples(known.read(data), called, origin or file_name, bounds)
