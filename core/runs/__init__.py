"""Dataset work through one door, `Runner.run(task, rows, spec)`: on this machine, or on Ray Data.

The same tasks, the same list of work and the same store either way; `WHENCE_BACKEND` chooses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.runs.drive import DatasetTask, Desk, Report, Runner, under_way
from core.runs.effects_task import MeasureEffects, to_effects
from core.runs.generation_tasks import Generate, ScoreTargets
from core.runs.here import LocalRunner
from core.runs.metrics_task import FILE, ScoreAnswers, column_spec, measured, metric_rows
from core.runs.salience_task import SummariseSalience
from core.runs.table_task import AskTable

if TYPE_CHECKING:
    from core.service import Service

__all__ = [
    "FILE",
    "TASKS",
    "AskTable",
    "DatasetTask",
    "Desk",
    "Generate",
    "LocalRunner",
    "MeasureEffects",
    "Report",
    "Runner",
    "ScoreAnswers",
    "ScoreTargets",
    "SummariseSalience",
    "column_spec",
    "measured",
    "metric_rows",
    "runner",
    "to_effects",
    "under_way",
]


def runner(service: Service) -> Runner:
    """The runner that the settings name. Raises: AppError where it is Ray and Ray is not installed."""
    if service.settings.backend == "ray":
        from core.runs.ray_data import RayRunner

        return RayRunner(service)
    return LocalRunner(service)


TASKS: tuple[type[DatasetTask], ...] = (
    Generate,
    ScoreTargets,
    SummariseSalience,
    ScoreAnswers,
    MeasureEffects,
    AskTable,
)
