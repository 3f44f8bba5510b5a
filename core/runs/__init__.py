"""Dataset work through one door, `Backend.run(task, rows, spec)`: on this machine, or on Ray Data.

The same tasks, the same list of work and the same store either way; `WHENCE_BACKEND` chooses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.runs.drive import Backend, Desk, Report, Task
from core.runs.effects_task import MeasureEffects, to_effects
from core.runs.generation_tasks import Generate, ScoreTargets
from core.runs.here import LocalBackend
from core.runs.metrics_task import ScoreAnswers, measured, metric_rows
from core.runs.salience_task import SummariseSalience

if TYPE_CHECKING:
    from core.service import Service

__all__ = [
    "TASKS",
    "Backend",
    "Desk",
    "Generate",
    "LocalBackend",
    "MeasureEffects",
    "Report",
    "ScoreAnswers",
    "ScoreTargets",
    "SummariseSalience",
    "Task",
    "backend",
    "measured",
    "metric_rows",
    "to_effects",
]


def backend(service: Service) -> Backend:
    """The backend that the settings name. Raises: AppError where it is Ray and Ray is not installed."""
    if service.settings.backend == "ray":
        from core.runs.ray_data import RayBackend

        return RayBackend(service)
    return LocalBackend(service)


TASKS: tuple[type[Task], ...] = (Generate, ScoreTargets, SummariseSalience, ScoreAnswers, MeasureEffects)
