"""Datasets: reading them from files, addresses and the hub, searching, templates, and writing them out.

loaded = load_bytes(data, "menu.jsonl", Bounds.of(settings()))
loaded.examples, loaded.problems, loaded.notes
mask = parse(query).mask(frame)
"""

from core.datasets.export import EXPORTS, Export
from core.datasets.formats import FORMATS, Format, format_of, load_bytes
from core.datasets.query import search
from core.datasets.reading import Bounds, LoadedDataset, RowProblem
from core.datasets.sources import SOURCES, Source, offered, source
from core.datasets.startup import load_startup, parse_datasets
from core.datasets.templates import escape, render, variables

__all__ = [
    "EXPORTS",
    "FORMATS",
    "SOURCES",
    "Bounds",
    "Export",
    "Format",
    "LoadedDataset",
    "RowProblem",
    "Source",
    "escape",
    "format_of",
    "load_bytes",
    "load_startup",
    "offered",
    "parse_datasets",
    "render",
    "search",
    "source",
    "variables",
]
