"""From rows and systems to figures: what is known already, what is missing, and the jobs that fill it in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.checks import Condition
from core.metrics import METRICS, Aggregate, Measured, Metric, MetricRow, PairedTest, aggregate, compare
from core.metrics.evaluate import why_left_out
from core.records import Example, GenerationParams
from core.runs import Generate, ScoreAnswers, ScoreTargets, measured, runner
from core.ui.asking import parameters, verdicts
from core.ui.asking.answerers import System, desk
from core.ui.asking.row_choice import Rows
from core.ui.shell import job_box, library, state
from core.ui.shell.services import owner, service

NAMES = tuple(member.name for member in METRICS)
AT_ONCE = 500
"""Text metrics of so many rows are computed unasked: well under a second each."""
WAIT_SECONDS = 8.0
MOST_REMEMBERED = 2000
Mask = NDArray[np.bool_]
T = TypeVar("T")


@dataclass(frozen=True)
class Column:
    """A system on the chosen rows; `figures` is None while nobody has computed them."""

    system: System
    positions: tuple[int, ...]
    """Which of the chosen rows it has: all, or for edited prompts those that have an edit."""
    examples: tuple[Example, ...]
    """What the model was asked at each of `positions`."""
    rows: tuple[MetricRow, ...]
    figures: dict[str, Measured] | None
    unjudged: dict[str, list[Example]] = field(default_factory=dict)
    """What no judge was asked yet, by the key of the condition."""

    @property
    def unanswered(self) -> list[Example]:
        """Not asked yet, or asked in vain."""
        return [e for e, row in zip(self.examples, self.rows) if row.response is None]

    @property
    def unscored(self) -> list[Example]:
        """Examples with a target that the model was not asked about."""
        scored = (row.target_logprob_nats is not None for row in self.rows)
        return [e for e, known in zip(self.examples, scored) if not known and (e.target or "").strip()]


def column(system: System, rows: Rows, edits: dict[str, Example], language: str) -> Column:
    """What is known of a system; metrics of a few rows are computed on the spot."""
    positions = tuple(i for i, e in enumerate(rows.examples) if not system.edited or e.id in edits)
    examples = tuple(edits[rows.examples[i].id] if system.edited else rows.examples[i] for i in positions)
    asked = verdicts.conditions(library.workspace(), rows.dataset.id)
    task = _task(system, rows, language, asked)
    found, unjudged = verdicts.rows_of(system, examples, rows.dataset.id, asked)
    known = tuple(found)
    if examples and not countable(known, task.members):
        return Column(system, positions, examples, known, None, unjudged)
    figures = measured(task, known, desk(system))
    if figures is None and len(examples) <= AT_ONCE:
        start_metrics(system, rows, examples, language).wait(WAIT_SECONDS)
        figures = measured(task, known, desk(system))
    return Column(system, positions, examples, known, figures, unjudged)


def _task(system: System, rows: Rows, language: str, asked: Sequence[Condition]) -> ScoreAnswers:
    return verdicts.scoring(rows.dataset.id, system, asked, NAMES, language)


def members(columns: Sequence[Column]) -> tuple[Metric, ...]:
    """The metrics that every column has: those of the dataset's checks first, then the usual ones."""
    ready = [column.figures for column in columns if column.figures is not None]
    found = [one.metric for one in ready[0].values()] if ready else list(METRICS)
    common = [one for one in found if all(one.name in figures for figures in ready)]
    return tuple(sorted(common, key=lambda one: one.needs != "answer"))


def countable(rows: Sequence[MetricRow], members: Sequence[Metric] = METRICS) -> bool:
    """Whether at least one metric can score at least one row."""
    return any(not why_left_out(row, member) for row in rows for member in members)


def paired(first: Column, second: Column, name: str) -> PairedTest:
    """The paired test of two systems on the rows that both have. Raises: AppError where there is none."""
    assert first.figures is not None and second.figures is not None
    both = set(first.positions) & set(second.positions)
    a = _at(first.figures[name], [place for place, i in enumerate(first.positions) if i in both])
    b = _at(second.figures[name], [place for place, i in enumerate(second.positions) if i in both])
    key = ("paired", name, _address(a), _address(b))
    return _remembered(key, lambda: compare(a, b))


def _at(one: Measured, places: list[int]) -> Measured:
    reasons = tuple(one.reasons[i] for i in places)
    return replace(one, statistics=one.statistics[places], kept=one.kept[places], reasons=reasons)


def start_metrics(system: System, rows: Rows, examples: Sequence[Example], language: str) -> Any:
    """The job that computes the metrics of a system."""
    asked = verdicts.conditions(library.workspace(), rows.dataset.id)
    task = _task(system, rows, language, asked)
    return runner(service()).run(
        task,
        examples,
        system.spec,
        workspace=library.workspace(),
        owner=f"{owner()} {system.label}",
    )


def params_for(system: System, examples: Sequence[Example]) -> GenerationParams:
    """How the answers of `system` to `examples` are to be drawn."""
    return parameters.params(*(e.sent(system.send_as) for e in examples), spec=system.spec)


def start_answers(system: System, examples: Sequence[Example]) -> None:
    """The job that runs the model on `examples`, kept for the page to show."""
    params = params_for(system, examples)
    task = Generate(params, system.send_as, service().settings.batch_size)
    _hold(task, system, examples)


def start_judging(key: str, questions: Sequence[Example], dataset_id: str) -> None:
    """The job that asks the judge of the condition `key`."""
    job_box.hold_job("metrics", verdicts.ask_judge(key, questions, dataset_id))


def start_scores(system: System, examples: Sequence[Example]) -> None:
    """The job that asks the model how likely the targets are."""
    _hold(ScoreTargets(system.send_as), system, examples)


def _hold(task: Any, system: System, examples: Sequence[Example]) -> None:
    job = runner(service()).run(
        task, examples, system.spec, workspace=library.workspace(), owner=f"{owner()} {system.label}"
    )
    job_box.hold_job("metrics", job)


def aggregates(one: Column, mask: Mask | None = None) -> dict[str, Aggregate]:
    """Every metric with its interval over the rows, or those of `mask`; remembered while nothing changes."""
    assert one.figures is not None
    inside = b"" if mask is None else np.asarray(mask, dtype=bool).tobytes()
    return {
        name: _remembered(("aggregate", name, _address(figures), inside), partial(aggregate, figures, mask))
        for name, figures in one.figures.items()
    }


def _address(figures: Measured) -> tuple[str, int, int]:
    return figures.language, hash(figures.statistics.tobytes()), hash(figures.reasons)


def _remembered(key: tuple[Any, ...], make: Callable[[], T]) -> T:
    """What `make` gives, kept in the session under `key`: a bootstrap over many rows takes a moment."""
    held = state.METRICS_REMEMBERED.setdefault({})
    if key not in held:
        if len(held) >= MOST_REMEMBERED:
            held.clear()
        held[key] = make()
    found: T = held[key]
    return found
