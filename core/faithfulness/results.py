"""What a benchmark run leaves behind: figures by task and method, goals met and missed, as JSON and in words.

`data/planted_causes.json` is written by `benchmarks.planted_causes` and read by the Trust page; nothing in it
is edited by hand. Knows no model; the words here are the page's and the document's alike.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.errors import AppError
from core.faithfulness.measures import MeanWithInterval
from core.settings import ROOT

PATH = ROOT / "data" / "planted_causes.json"
FULL, RANDOM_WEIGHTS = "full precision", "random weights"


@dataclass(frozen=True, slots=True)
class PlantedTask:
    """How many prompts were drawn, and how many of them count; `lines` is their mean number of lines."""

    key: str
    label: str
    causes: int
    drawn: int
    verified: int
    answered_otherwise: int
    did_not_flip: int
    lines: float


@dataclass(frozen=True, slots=True)
class BenchmarkRow:
    """One method (or control) on one task. `arm` is the model it ran on: full precision, a quantisation,
    or the same architecture with random weights; `measures` are named in `core.faithfulness.measures`.
    """

    task: str
    method: str
    label: str
    arm: str
    control: bool
    measures: dict[str, MeanWithInterval]


@dataclass(frozen=True, slots=True)
class Area:
    """Mean distance of a method's curves from random deletion and insertion, nats, over prompts."""

    task: str
    method: str
    label: str
    deletion: MeanWithInterval
    insertion: MeanWithInterval


@dataclass(frozen=True, slots=True)
class Goal:
    """What was wanted and what came of it; `met` None where too few prompts can tell."""

    what: str
    task: str
    wanted: str
    got: str
    met: bool | None


@dataclass(frozen=True, slots=True)
class BenchmarkResults:
    """One run: which model, exactly, and everything that was found."""

    model: str
    path: str
    revision: str
    date: str
    command: str
    asked: int
    """Verified prompts a task that were asked for; there are fewer where the time ran out."""
    minutes: float
    tasks: tuple[PlantedTask, ...]
    rows: tuple[BenchmarkRow, ...]
    changes: tuple[BenchmarkRow, ...]
    """Quantised minus full precision, paired: `measures` holds `top1` alone."""
    areas: tuple[Area, ...]
    goals: tuple[Goal, ...]

    def find(self, task: str, method: str, arm: str = FULL) -> BenchmarkRow | None:
        for row in self.rows:
            if (row.task, row.method, row.arm) == (task, method, arm):
                return row
        return None

    @property
    def verified(self) -> int:
        """Prompts that count, of the task with the fewest."""
        return min((task.verified for task in self.tasks), default=0)


def write(results: BenchmarkResults, path: Path = PATH) -> None:
    text = json.dumps(_plain(asdict(results)), ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def read(path: Path = PATH) -> BenchmarkResults | None:
    """The results of the last run; None where there was none.

    Raises: AppError for a file of another form.
    """
    if not path.exists():
        return None
    try:
        held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for name, kind in (("tasks", PlantedTask), ("goals", Goal)):
            held[name] = tuple(kind(**one) for one in held[name])
        for name in ("rows", "changes"):
            held[name] = tuple(
                BenchmarkRow(
                    **{**one, "measures": {key: _estimate(value) for key, value in one["measures"].items()}}
                )
                for one in held[name]
            )
        held["areas"] = tuple(
            Area(**{**one, "deletion": _estimate(one["deletion"]), "insertion": _estimate(one["insertion"])})
            for one in held["areas"]
        )
        return BenchmarkResults(**held)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise AppError(
            f"{path.name} does not hold the results of a benchmark run: {type(error).__name__}.",
            hint="Run make bench-methods to make it again.",
        ) from error


def _estimate(held: dict[str, Any]) -> MeanWithInterval:
    nan = float("nan")
    value, low, high = (nan if held[name] is None else float(held[name]) for name in ("value", "low", "high"))
    return MeanWithInterval(value, low, high, int(held["count"]))


def _plain(held: Any) -> Any:
    """JSON has no NaN: None stands for it. Figures are rounded to what is worth keeping."""
    if isinstance(held, dict):
        return {key: _plain(value) for key, value in held.items()}
    if isinstance(held, list | tuple):
        return [_plain(value) for value in held]
    if isinstance(held, float):
        return None if held != held else round(held, 5)
    return held


def of(count: float, prompts: int) -> str:
    """A share in words that people can count: "28 of 30"."""
    return f"{round(count * prompts):,} of {prompts:,}"


def sentence(label: str, caused: Sequence[BenchmarkRow]) -> str:
    """What one method did over the tasks that plant causes, in plain words."""
    known = [row.measures["top1"] for row in caused if "top1" in row.measures and row.measures["top1"].count]
    third = [row.measures["top3"] for row in caused if "top3" in row.measures and row.measures["top3"].count]
    prompts = sum(one.count for one in known)
    if not prompts:
        return f"{label} was not measured."
    first = sum(one.value * one.count for one in known)
    among = sum(one.value * one.count for one in third)
    return (
        f"{label} names the guilty line first in {round(first):,} of {prompts:,} prompts whose cause is "
        f"known, and among its first three in {round(among):,}."
    )


def told_by_form(found: BenchmarkResults) -> list[str]:
    """Tasks whose cause a control that sees no model finds as well as the best method does, in words."""
    said = []
    for task in found.tasks:
        here = [
            (row.measures["top1"].value, row)
            for row in found.rows
            if row.task == task.key and row.arm == FULL and "top1" in row.measures
        ]
        best = max((share for share, row in here if not row.control), default=1.0)
        said += [
            f"Where the cause is {task.label}, an order that sees no model, “{row.label}”, puts it first in "
            f"{of(share, row.measures['top1'].count)} prompts: a hit there proves little."
            for share, row in here
            if row.control and share >= best
        ]
    return said
