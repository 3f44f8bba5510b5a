"""What a person knows rows by, each name once: the file's name for it, an id made of words, or its first words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from core.errors import AppError
from core.records import Example
from core.ui.shell import library

_VERSION = re.compile(r"-v(\d+)\Z")


def row_names(examples: Iterable[Example]) -> dict[str, str]:
    """A name for each example, by id. A version says which one it is; of equal names the later ones are numbered."""
    found: dict[str, str] = {}
    times: dict[str, int] = {}
    for example in examples:
        if example.id in found:
            continue
        name = example.called
        version = _VERSION.search(example.id)
        if example.parent_id and version and name != example.id:
            name = f"{name} (v{version[1]})"
        times[name] = times.get(name, 0) + 1
        found[example.id] = name if times[name] == 1 else f"{name} ({times[name]})"
    return found


def names_of(ids: Sequence[str]) -> dict[str, str]:
    """As `row_names`, for ids of this workspace; an id that is not there (any more) stands for itself."""
    here, examples = library.workspace(), []
    for one in dict.fromkeys(ids):
        try:
            examples.append(here.examples.get(one))
        except AppError:
            continue
    return {one: one for one in ids} | row_names(examples)
