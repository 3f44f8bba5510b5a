"""The prompt of a cell: a version's template with a row's columns in it, as the import of a file fills them.

`{prompt}` and `{target}` are the row's own, unless a column is called so. A row without text in a column that a version
names is not asked under that version, and says why. Nothing is evaluated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.datasets.cells import as_text, cell, text_paths
from core.datasets.plan import fill, unknown, variables
from core.errors import AppError
from core.prompt_table.plan import PromptVersion
from core.records import Example


def row_values(row: Example, aliases: Mapping[str, str], named: Sequence[str] = ()) -> dict[str, str]:
    """Text of each column of a row; the column that the prompt or the target came from (`aliases`) too, and "" for
    columns of the dataset (`named`) that this row lacks.
    """
    own = {"prompt": row.prompt, "target": row.target or ""}
    found = {path: as_text(cell(row, path)) or "" for path in text_paths([row])}
    renamed = {name: own[meant] for name, meant in aliases.items() if meant in own}
    return dict.fromkeys(named, "") | own | renamed | found


def named_columns(
    versions: Sequence[PromptVersion], rows: Sequence[Example], aliases: Mapping[str, str]
) -> tuple[str, ...]:
    """The columns of `rows` (a dataset's first thousands will do) that at least one version names."""
    known = dict.fromkeys(["prompt", "target", *aliases, *text_paths(rows)])
    return tuple(dict.fromkeys(name for one in versions for name in variables(one.template, known)))


def aliases_of(plan: Mapping[str, object]) -> dict[str, str]:
    """Which columns of its file the prompt and the target of a dataset came from (`ColumnPlan.to_json`)."""
    found = {}
    if isinstance(prompt := plan.get("prompt"), str) and not plan.get("template"):
        found[prompt] = "prompt"
    targets = plan.get("targets")
    if isinstance(targets, list) and targets:
        found[str(targets[0])] = "target"
    return found


def prompt_of(version: PromptVersion, values: Mapping[str, str]) -> str | AppError:
    """What a row is asked under `version`, or why it is not asked."""
    named = variables(version.template, values)
    empty = [name for name in named if not values[name].strip()]
    if named and len(empty) == len(named):
        return AppError(f"Nothing stands in {', '.join(empty)}.")
    made = fill(version.template, values, values.__getitem__)
    return made if made.strip() else AppError("The prompt is empty.")


def unread(version: PromptVersion, values: Mapping[str, str]) -> tuple[str, ...]:
    """What stands in braces like a column and is none: it would be sent as it stands."""
    return unknown(version.template, values)


def asked_as(row: Example, prompt: str) -> Example:
    """`row` with another prompt, for what it is sent after and checked against."""
    return replace(row, prompt=prompt)
