"""Datasets: reading them from files, addresses and the hub, searching, templates, and writing them out.

rows = open_bytes(data, "menu.jsonl", bounds)      # as the file has them
plan = propose(rows).plan                           # which column is what: to be changed by a person
loaded = to_examples(rows, plan, bounds)            # load_bytes does all three where there is no doubt
loaded.examples, loaded.problems, loaded.notes, loaded.counts
mask = parse(query).mask(frame)
"""

from core.datasets.bounds import Bounds
from core.datasets.counts import RowCounts, counts_of
from core.datasets.examples import LoadedDataset, check, not_sent, to_examples
from core.datasets.export import EXPORTS, Export
from core.datasets.formats import FORMATS, Format, format_of, load_bytes, load_rows, open_bytes, open_pasted
from core.datasets.plan import ColumnPlan
from core.datasets.proposal import ImportProposal, propose
from core.datasets.query import search
from core.datasets.rows import FileColumn, FileRows, RowProblem
from core.datasets.sources import SOURCES, Source, offered, source
from core.datasets.startup import load_startup, parse_datasets, place_of
from core.datasets.templates import escape, render, variables

__all__ = [
    "EXPORTS",
    "FORMATS",
    "SOURCES",
    "Bounds",
    "ColumnPlan",
    "Export",
    "FileColumn",
    "FileRows",
    "Format",
    "ImportProposal",
    "LoadedDataset",
    "RowCounts",
    "RowProblem",
    "Source",
    "check",
    "counts_of",
    "escape",
    "format_of",
    "load_bytes",
    "load_rows",
    "load_startup",
    "not_sent",
    "offered",
    "open_bytes",
    "open_pasted",
    "parse_datasets",
    "place_of",
    "propose",
    "render",
    "search",
    "source",
    "to_examples",
    "variables",
]
