"""A dataset's rows through several prompt versions: answers, verdicts, and whether a version is better than the first.

A version is a template over the file's columns (`Q: {question}`). Cells, verdicts, intervals and tests are those of the
app's tables (`core.prompt_table`, `core.runs.table_task`). Nothing is kept on disk.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from core.answer_defaults import ROWS_READ, default_of_many
from core.checks.verdict import Condition, to_json
from core.datasets.bounds import Bounds
from core.datasets.examples import LoadedDataset, to_examples
from core.datasets.proposal import propose
from core.datasets.sources import open_path
from core.errors import AppError
from core.library.opening import Source, open_model
from core.metrics import Aggregate, PairedTest
from core.prompt_table import (
    CellAnswer,
    PromptTable,
    PromptVersion,
    Standing,
    TableAnswerer,
    TablePlan,
    TableRow,
    put_together,
    seeds,
    standings,
)
from core.prompt_table.standing import turned
from core.records import ModelSpec
from core.runs import AskTable
from core.runs.drive import Item
from core.settings import settings

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int], None]
"""Called with the answers done and all that are asked for."""


@dataclass(frozen=True, eq=False)
class VersionsOnRows:
    """What `run_table` found: the whole table, and its figures in the order of `versions`, the first the baseline."""

    table: PromptTable
    left_out: tuple[tuple[int, str], ...] = ()
    """(line, reason) of what the file holds and was not asked."""

    @property
    def model(self) -> ModelSpec:
        return self.table.plan.answerers[0].spec

    @property
    def versions(self) -> tuple[str, ...]:
        return tuple(version.name for version in self.table.plan.versions)

    @cached_property
    def standings(self) -> tuple[Standing, ...]:
        return standings(self.table)

    @property
    def values(self) -> tuple[Aggregate, ...]:
        return tuple(one.value for one in self.standings)

    @property
    def tests(self) -> tuple[PairedTest | None, ...]:
        """Each version against the first; None for the first, and where no row is decided under both."""
        return tuple(one.against for one in self.standings)

    @cached_property
    def turned(self) -> tuple[int, ...]:
        """Places of the rows that at least one version answers better or worse than the first."""
        some = [turned(self.table, at) for at in range(len(self.versions))]
        return tuple(at for at in range(len(self.table.rows)) if any(one[at] for one in some))

    def worse(self, p: float = 0.05) -> tuple[str, ...]:
        """Versions that are right less often than the first, by a test below `p`."""
        return tuple(
            name
            for name, test in zip(self.versions, self.tests)
            if test is not None and test.difference < 0 and test.p < p
        )

    def to_pandas(self) -> pd.DataFrame:
        """One line an answer: row, called, version, model, seed, change, answer, targets, outcome, why."""
        import pandas as pd

        return pd.DataFrame(self.table.lines())

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON-serialisable data."""
        model = {"name": self.model.name, "revision": self.model.revision, "precision": self.model.precision}
        return {
            "model": model,
            "versions": [_told(one) for one in self.standings],
            "rows": self.table.lines(),
            "left_out": [list(one) for one in self.left_out],
        }


def _told(one: Standing) -> dict[str, Any]:
    test = one.against
    against = None if test is None else {
        "difference": test.difference,
        "low": _number(test.low),
        "high": _number(test.high),
        "p": test.p,
        "test": test.test,
        "better": one.better,
        "worse": one.worse,
        "same": one.same,
    }  # fmt: skip
    value = one.value
    return {
        "version": one.label,
        "right": _number(value.value),
        "low": _number(value.low),
        "high": _number(value.high),
        "rows": value.rows,
        "against_first": against,
    }


def _number(value: float) -> float | None:
    return value if value == value else None


def run_table(
    dataset: str,
    versions: Mapping[str, str],
    conditions: Sequence[Condition],
    *,
    model: Source = "demo",
    limit: int | None = None,
    samples: int = 1,
    on_progress: Progress | None = None,
    **params: Any,
) -> VersionsOnRows:
    """Asks `model` every row of the file `dataset` under every version (name -> template over its columns).

    `samples`: answers a cell, drawn with as many seeds. `params`: as of `explain`. Raises: AppError for a file, a
    template or a check that cannot be used.
    """
    if not versions:
        raise AppError("At least one prompt version is needed.")
    if not conditions:
        raise AppError("At least one check is needed.", hint="For example: equals, contains or number.")
    asking = [one.member.label for one in conditions if one.member.asks_model]
    if asking:
        raise AppError(f"“{asking[0]}” asks a model about each answer, which is done in the app only.")
    loaded = _loaded(dataset, versions)
    prompts = (example.prompt for some in loaded for example in some.examples[:limit][:ROWS_READ])
    opened, drawn = open_model(model), replace(default_of_many(prompts).params(), **params)
    plan = TablePlan(
        dataset,
        tuple(PromptVersion(name, text) for name, text in versions.items()),
        (TableAnswerer(opened.spec),),
        drawn,
        seeds(samples, drawn.seed),
        json.dumps(to_json(conditions)),
    )
    task = AskTable("", json.dumps(plan.to_json()), batch=settings().batch_size)
    rows = loaded[0].examples[:limit]
    items = [
        item
        for column, some in enumerate(loaded)
        for row, example in zip(rows, some.examples)
        for item in task.items_of(row, column, example.prompt, opened.spec)
    ]
    cells: list[CellAnswer] = []
    with opened.use() as held:
        for some_items in _batches(items, task.batch):
            found = task.compute(some_items, held, None)
            cells += [
                replace(task.cell(item, one["generation"].text), tie=one["tie"])
                for item, one in zip(some_items, found)
            ]
            if on_progress is not None:
                on_progress(len(cells), len(items))
    listed = [TableRow(row.id, row.called, row.targets, row.source) for row in rows]
    problems = tuple((one.line, one.reason) for one in loaded[0].problems)
    return VersionsOnRows(put_together(plan, listed, cells), problems)


def _batches(items: Sequence[Item], size: int) -> Iterator[list[Item]]:
    """Items of like length and one seed together: they share a pass."""
    order = sorted(items, key=lambda item: (item["take"], len(item["prompt"])))
    return (order[start : start + size] for start in range(0, len(order), size))


def _loaded(dataset: str, versions: Mapping[str, str]) -> list[LoadedDataset]:
    bounds = Bounds.of(settings())
    found = open_path(dataset, bounds)
    plan = propose(found).plan
    loaded = [
        to_examples(found, replace(plan, prompt="", template=text), bounds) for text in versions.values()
    ]
    left_out = [{one.line for one in some.problems} for some in loaded]
    if any(lines != left_out[0] for lines in left_out):
        raise AppError(
            "The versions cannot be set against each other: they use different rows of the file, because a column that "
            "one of them names is empty where another's is not.",
            hint="Fill the column, or take those rows out.",
        )
    return loaded
