"""A dataset's rows through several prompt versions: answers, verdicts, and whether a version is better than the first.

A version is a template over the file's columns (`Q: {question}`). Verdicts come from checks, values with intervals and
paired tests from `core.metrics`, as in the app. Nothing is kept on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from core.checks.measures import members, rulings
from core.checks.verdict import AnswerVerdict, Condition, verdict
from core.datasets.bounds import Bounds
from core.datasets.examples import to_examples
from core.datasets.proposal import propose
from core.datasets.sources import open_path
from core.errors import AppError
from core.library.opening import Source, open_model
from core.metrics import Aggregate, MetricRow, PairedTest, aggregate, measure
from core.metrics import compare as paired
from core.records import GenerationParams, ModelSpec
from core.settings import settings

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int], None]
"""Called with the answers done and all that are asked for."""


@dataclass(frozen=True, slots=True)
class TableCell:
    """One row under one version."""

    prompt: str
    answer: str
    ruled: AnswerVerdict


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of the dataset under every version, in their order."""

    called: str
    targets: tuple[str, ...]
    cells: tuple[TableCell, ...]

    @property
    def turned(self) -> bool:
        """Whether a version's verdict is another than the first's."""
        return len({cell.ruled.outcome for cell in self.cells}) > 1


@dataclass(frozen=True, eq=False)
class PromptTable:
    """Rows × versions; `values` and `tests` stand in the order of `versions`, the first is the baseline."""

    model: ModelSpec
    versions: tuple[str, ...]
    rows: tuple[TableRow, ...]
    values: tuple[Aggregate, ...]
    tests: tuple[PairedTest | None, ...]
    """Each version against the first; None for the first, and where no row is decided under both."""
    left_out: tuple[tuple[int, str], ...] = ()
    """(line, reason) of what the file holds and was not asked."""

    def worse(self, p: float = 0.05) -> tuple[str, ...]:
        """Versions that are right less often than the first, by a test below `p`."""
        return tuple(
            name
            for name, test in zip(self.versions, self.tests)
            if test is not None and test.difference < 0 and test.p < p
        )

    def to_pandas(self) -> pd.DataFrame:
        """One line a row and version: row, version, prompt, answer, targets, outcome, why."""
        import pandas as pd

        columns = ["row", "version", "prompt", "answer", "targets", "outcome", "why"]
        lines = [
            (row.called, name, cell.prompt, cell.answer, row.targets, cell.ruled.outcome, cell.ruled.why)
            for row in self.rows
            for name, cell in zip(self.versions, row.cells)
        ]
        return pd.DataFrame(lines, columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON-serialisable data."""
        told = [
            {
                "version": name,
                "right": _number(value.value),
                "low": _number(value.low),
                "high": _number(value.high),
                "rows": value.rows,
                "against_first": None
                if test is None
                else {
                    "difference": test.difference,
                    "low": test.low,
                    "high": test.high,
                    "p": test.p,
                    "test": test.test,
                },
            }
            for name, value, test in zip(self.versions, self.values, self.tests)
        ]
        rows = self.to_pandas().to_dict("records")
        model = {"name": self.model.name, "revision": self.model.revision, "precision": self.model.precision}
        return {
            "model": model,
            "versions": told,
            "rows": rows,
            "left_out": [list(one) for one in self.left_out],
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
    on_progress: Progress | None = None,
    **params: Any,
) -> PromptTable:
    """Asks `model` every row of the file `dataset` under every version (name -> template over its columns).

    `params`: as of `explain`. Raises: AppError for a file, a template or a check that cannot be used.
    """
    if not versions:
        raise AppError("At least one prompt version is needed.")
    if not conditions:
        raise AppError("At least one check is needed.", hint="For example: equals, contains or number.")
    asking = [one.member.label for one in conditions if one.member.asks_model]
    if asking:
        raise AppError(f"“{asking[0]}” asks a model about each answer, which is done in the app only.")
    bounds = Bounds.of(settings())
    found = open_path(dataset, bounds)
    plan = propose(found).plan
    loaded = [
        to_examples(found, replace(plan, prompt="", template=text), bounds) for text in versions.values()
    ]
    left_out = [{(one.line, one.reason) for one in some.problems} for some in loaded]
    if any({line for line, _ in some} != {line for line, _ in left_out[0]} for some in left_out):
        raise AppError(
            "The versions cannot be set against each other: they use different rows of the file, because a column that "
            "one of them names is empty where another's is not.",
            hint="Fill the column, or take those rows out.",
        )
    opened, drawn = open_model(model), GenerationParams(**params)
    kept = [one.examples[:limit] for one in loaded]
    total, done = sum(map(len, kept)), 0
    answers: list[list[str]] = []
    with opened.use() as held:
        for examples in kept:
            tokens = [held.tokenize(example.prompt) for example in examples]
            order = sorted(range(len(tokens)), key=lambda at, tokens=tokens: len(tokens[at]))  # type: ignore[misc]
            texts = [""] * len(tokens)
            for start in range(0, len(order), settings().batch_size):
                some = order[start : start + settings().batch_size]
                for at, made in zip(some, held.generate_batch([tokens[at] for at in some], drawn)):
                    texts[at] = made.text
                done += len(some)
                if on_progress is not None:
                    on_progress(done, total)
            answers.append(texts)
    return _table(
        opened.spec,
        tuple(versions),
        kept,
        answers,
        conditions,
        tuple((one.line, one.reason) for one in loaded[0].problems),
    )


def _table(
    model: ModelSpec,
    names: tuple[str, ...],
    examples: Sequence[Sequence[Any]],
    answers: Sequence[Sequence[str]],
    conditions: Sequence[Condition],
    left_out: tuple[tuple[int, str], ...],
) -> PromptTable:
    asked = [
        [MetricRow(e.id, answer, e.targets, prompt=e.prompt) for e, answer in zip(some, texts)]
        for some, texts in zip(examples, answers)
    ]
    metric = members(conditions)[0]
    measured = [measure(rows, metric, "other") for rows in asked]
    tests: list[PairedTest | None] = [None]
    for one in measured[1:]:
        both = bool((measured[0].kept & one.kept).any())
        tests.append(paired(measured[0], one) if both else None)
    rows = tuple(
        TableRow(
            e.called,
            e.targets,
            tuple(
                TableCell(
                    version[at].prompt, str(version[at].response), verdict(rulings(version[at], conditions))
                )
                for version in asked
            ),
        )
        for at, e in enumerate(examples[0])
    )
    return PromptTable(model, names, rows, tuple(map(aggregate, measured)), tuple(tests), left_out)
