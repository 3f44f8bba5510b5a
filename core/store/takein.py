"""Takes a ZIP file of *Download all* (`takeout.py`) in again: datasets, examples with their lineage, and stars.

The file may have been written by anybody: it is read within the bounds of every upload, nothing that is here is
overwritten, and what bears a name that is taken gets one with a number. Answers, maps and figures are not taken in:
answers belong to all who ask the same, so nobody's file may say what a model wrote. Whence finds those it still has.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from core.datasets import zip_directory
from core.datasets.bounds import Bounds, BudgetSpent, ReadBudget
from core.errors import AppError
from core.records import Example
from core.store.limits import LONGEST_ID
from core.store.sql import chunks
from core.store.tables import examples
from core.store.workspace import Workspace

HOMELESS = "Taken in"
"""The dataset of examples whose own one is not in the file and not here."""
_FAULT = "This is not a file of “Download all”, or it is not whole."
_STEP = 1_000_000


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What came in, and under which other names."""

    datasets: int
    examples: int
    stars: int
    renamed: int

    @property
    def sentence(self) -> str:
        told = f"{self.examples:,} examples in {self.datasets:,} new datasets, {self.stars:,} stars were taken in."
        if self.renamed:
            told += f" {self.renamed:,} bore names that are taken here and got a number."
        return (
            told + " Answers and maps are found where they are still kept; others are made by running again."
        )


def take_in(workspace: Workspace, data: bytes, bounds: Bounds) -> TakenIn:
    """All of the file or nothing of it. Raises: AppError for what is no such file, or passes a bound or a limit."""
    if len(data) > bounds.max_bytes:
        raise _too_much(f"it has {len(data):,} bytes")
    budget = ReadBudget(bounds)
    try:
        with zip_directory.opened(io.BytesIO(data), "The file") as file:
            named = [
                (str(row.get("id")), _text(row, "name") or HOMELESS)
                for row in _rows(file, "datasets", budget)
            ]
            homes: dict[str, list[tuple[Example, bool]]] = {}
            for row in _rows(file, "examples", budget):
                home = homes.setdefault(_text(row, "dataset_id"), [])
                home.append((_example(row), bool(row.get("retired"))))
            starred = [_text(row, "example_id") for row in _rows(file, "stars", budget)]
    except BudgetSpent as spent:
        raise _too_much(str(spent)) from spent
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise AppError(_FAULT, hint="Choose whence-workspace.zip as it was downloaded.") from error
    ids = _new_ids(workspace, [one.id for rows in homes.values() for one, _ in rows])
    kept = {home: [(_renamed(one, ids), gone) for one, gone in rows] for home, rows in homes.items()}
    made = _add(workspace, dict(named), kept)
    stars = [ids[one] for one in dict.fromkeys(starred) if one in ids]
    if stars:
        workspace.marks.star(stars)
    return TakenIn(made, len(ids), len(stars), sum(old != new for old, new in ids.items()))


def _add(
    workspace: Workspace, named: Mapping[str, str], kept: Mapping[str, list[tuple[Example, bool]]]
) -> int:
    """Adds all datasets, or, past a limit, none. Returns how many are new."""
    here = {one.id: one for one in workspace.datasets.all()}
    names, made = {one.name for one in here.values()}, []
    shared = {home for home in kept if home not in named and home in here and here[home].shared}
    added: list[str] = []
    try:
        for home in dict.fromkeys([*named, *kept]):
            rows = [one for one, _ in kept.get(home, [])]
            if home in shared:
                continue
            name = _free(named.get(home, HOMELESS), names)
            names.add(name)
            made.append(workspace.datasets.add(name, rows, origin="taken in from a file").id)
        for home in shared:
            added += [one.id for one in workspace.examples.add(home, [one for one, _ in kept[home]])]
        if gone := [one.id for rows in kept.values() for one, retired in rows if retired]:
            workspace.examples.retire(gone)
    except AppError:
        for one in made:
            workspace.datasets.remove(one)
        if added:
            workspace.examples.retire(added)
        raise
    return len(made)


def _rows(file: zipfile.ZipFile, name: str, budget: ReadBudget) -> Iterator[dict[str, Any]]:
    """The objects of a `.jsonl` within the file, each charged; none where the file has no such member."""
    if f"{name}.jsonl" not in file.namelist():
        if name in ("datasets", "examples"):
            raise ValueError(f"no {name}.jsonl")
        return
    with file.open(f"{name}.jsonl") as member:
        number = 0
        while line := member.readline(budget.bounds.max_prompt_chars * 8 + _STEP):
            number += 1
            budget.tick()
            if number > budget.bounds.max_examples:
                raise BudgetSpent(f"{name}.jsonl has more than {budget.bounds.max_examples:,} lines")
            if not line.endswith(b"\n"):
                raise BudgetSpent(
                    f"line {number:,} of {name}.jsonl is cut off or has {len(line):,} bytes or more"
                )
            try:
                row = json.loads(line)
            except RecursionError as error:
                raise BudgetSpent(f"line {number:,} of {name}.jsonl is nested too deeply") from error
            if not isinstance(row, dict):
                raise ValueError(f"line {number} is no object")
            if why := budget.charge(row):
                raise BudgetSpent(f"line {number:,} of {name}.jsonl: {why.rstrip('.')}")
            yield row


def _text(row: Mapping[str, Any], name: str) -> str:
    found = row.get(name)
    return found if isinstance(found, str) else ""


def _example(row: Mapping[str, Any]) -> Example:
    """Raises: ValueError for what is no example."""
    prompt, target, fields = row.get("prompt"), row.get("target"), row.get("fields", {})
    tags = json.loads(row["tags"]) if isinstance(row.get("tags"), str) else []
    fits = isinstance(prompt, str) and (target is None or isinstance(target, str)) and _text(row, "id")
    if not fits or not isinstance(fields, dict) or not isinstance(tags, list):
        raise ValueError("no example")
    return Example(
        _text(row, "id"), str(prompt), target, _text(row, "source"), _text(row, "parent_id") or None,
        _text(row, "edit"), tuple(map(str, tags)), fields,
    )  # fmt: skip


def _renamed(one: Example, ids: Mapping[str, str]) -> Example:
    """With its new id; a parent that is in the file goes along, any other stays what it was."""
    return replace(one, id=ids[one.id], parent_id=ids.get(one.parent_id or "", one.parent_id))


def _new_ids(workspace: Workspace, wanted: list[str]) -> dict[str, str]:
    """Each id as it is, or with the first free number behind it. Raises: ValueError for an id that comes twice."""
    if len(set(wanted)) < len(wanted):
        raise AppError(_FAULT, hint="Two of its examples have one id.")
    taken: set[str] = set()
    with workspace.engine.connect() as connection:
        for part in chunks(wanted):
            stems = [examples.c.id.in_(part), workspace.seen]
            taken.update(connection.execute(select(examples.c.id).where(*stems)).scalars())
        given: dict[str, str] = {}
        reserved = taken | set(wanted)
        for one in wanted:
            new, number = one, 1
            while new in taken or (new != one and (new in reserved or _is_here(workspace, connection, new))):
                number += 1
                new = f"{one[: LONGEST_ID - 1 - len(str(number))]}-{number}"
            reserved.add(new)
            given[one] = new
    return given


def _is_here(workspace: Workspace, connection: Any, name: str) -> bool:
    return (
        connection.execute(select(examples.c.id).where(examples.c.id == name, workspace.seen)).first()
        is not None
    )


def _free(name: str, taken: set[str]) -> str:
    number, new = 1, name
    while new in taken:
        number += 1
        new = f"{name} ({number})"
    return new


def _too_much(said: str) -> AppError:
    return AppError(
        f"The file is not taken in: {said}.", hint="Take in a smaller part of it.", code="too_large"
    )
