"""The cells of an example's further columns, also those within objects (`6b_finetuning › solution`).

A path is the column's name and the keys within it, joined by ` › `. Knows no table and no page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.records import Example

JOINT = " › "
DEEPEST = 4
MOST_PATHS = 200
_OURS = ("earlier_turns", "targets", "called")


def cell(example: Example, path: str) -> Any:
    """What stands at `path` in the example's further columns; None where nothing does."""
    found: Any = example.fields
    for key in [path] if path in example.fields else path.split(JOINT):
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    return found


def text_paths(examples: Sequence[Example]) -> tuple[str, ...]:
    """Paths that hold texts or numbers (not true or false) in at least one row, in the file's order; at most 200."""
    found: dict[str, None] = {}
    for example in examples:
        for name, value in example.fields.items():
            if name not in _OURS:
                found.update(dict.fromkeys(_within(str(name), value, 1)))
        if len(found) >= MOST_PATHS:
            break
    return tuple(found)[:MOST_PATHS]


def _within(path: str, value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, Mapping):
        if depth < DEEPEST:
            for key, inner in value.items():
                yield from _within(f"{path}{JOINT}{key}", inner, depth + 1)
    elif (isinstance(value, str) and value.strip()) or (
        isinstance(value, int | float) and not isinstance(value, bool)
    ):
        yield path


def as_text(value: Any) -> str | None:
    """A cell as the answer that it is: text as it stands, a number in its shortest form, else None."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
