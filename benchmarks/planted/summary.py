"""From single measurements to the figures that are published: means with intervals, goals met or missed."""

from __future__ import annotations

import datetime

from benchmarks.planted.ledger import Ledger
from core.faithfulness import CONTROLS, Finding, change, estimate, measured
from core.faithfulness.results import (
    FULL,
    RANDOM_WEIGHTS,
    Area,
    BenchmarkResults,
    BenchmarkRow,
    Goal,
    PlantedTask,
)
from core.records import ModelSpec
from core.salience import METHODS
from tools.demo_model.grammar.planted import TASKS

GOAL_TASKS = ("contradicting_example", "obeyed_principle", "fact_in_10", "fact_in_50")
GRADIENT_GOAL, LEAVE_ONE_OUT_GOAL = 0.90, 0.95
CHANGE_GOAL = 0.05
NEAR_CHANCE = 0.10
LEAST = 20
"""Fewer prompts decide nothing: the goal counts as not judged."""
QUANTISED = ("nf4", "int8")


def results(ledger: Ledger, spec: ModelSpec, asked: int, date: datetime.date) -> BenchmarkResults:
    rows = tuple(_rows(ledger))
    changes = tuple(_changes(ledger))
    return BenchmarkResults(
        model=spec.name,
        path=spec.path,
        revision=spec.revision,
        date=date.isoformat(),
        command="; ".join(ledger.commands),
        asked=asked,
        minutes=ledger.minutes,
        tasks=tuple(_tasks(ledger)),
        rows=rows,
        changes=changes,
        areas=tuple(_areas(ledger)),
        goals=(*_hit_goals(rows), *_chance_goals(rows), *_change_goals(changes)),
    )


def _tasks(ledger: Ledger) -> list[PlantedTask]:
    found = []
    for task in TASKS:
        verdicts = [held["verdict"] for (key, _), held in ledger.trials.items() if key == task.key]
        lines = [
            f.segments
            for (key, _, arm, name), f in ledger.findings.items()
            if key == task.key and arm == FULL and name == CONTROLS[0].name
        ]
        found.append(
            PlantedTask(
                task.key,
                task.label,
                task.causes,
                len(verdicts),
                verdicts.count("verified"),
                verdicts.count("answered otherwise"),
                verdicts.count("did not flip"),
                sum(lines) / max(len(lines), 1),
            )
        )
    return found


def _findings(ledger: Ledger, task: str, arm: str, name: str) -> dict[int, Finding]:
    return {
        row: f for (key, row, a, n), f in sorted(ledger.findings.items()) if (key, a, n) == (task, arm, name)
    }


def _rows(ledger: Ledger) -> list[BenchmarkRow]:
    found = []
    for task in TASKS:
        for arm in (FULL, RANDOM_WEIGHTS, *QUANTISED):
            for method in METHODS:
                if findings := _findings(ledger, task.key, arm, method.name):
                    label = method.label if arm == FULL else f"{method.label}, {arm}"
                    measures = measured(list(findings.values()))
                    found.append(
                        BenchmarkRow(task.key, method.name, label, arm, arm == RANDOM_WEIGHTS, measures)
                    )
        for control in CONTROLS if task.causes else ():
            if findings := _findings(ledger, task.key, FULL, control.name):
                measures = measured(list(findings.values()))
                found.append(BenchmarkRow(task.key, control.name, control.label, FULL, True, measures))
    return found


def _changes(ledger: Ledger) -> list[BenchmarkRow]:
    found = []
    for task in TASKS:
        for arm in QUANTISED:
            for method in METHODS if task.causes else ():
                before = _findings(ledger, task.key, FULL, method.name)
                after = _findings(ledger, task.key, arm, method.name)
                both = sorted(before.keys() & after.keys())
                if both:
                    top1 = change([before[r].hit(1) for r in both], [after[r].hit(1) for r in both])
                    label = f"{method.label}, {arm}"
                    found.append(BenchmarkRow(task.key, method.name, label, arm, False, {"top1": top1}))
    return found


def _areas(ledger: Ledger) -> list[Area]:
    found = []
    for task in TASKS:
        held = [areas for (key, _), areas in sorted(ledger.curves.items()) if key == task.key]
        for method in METHODS:
            own = [areas[method.name] for areas in held if method.name in areas]
            if own:
                deletion, insertion = (estimate([pair[k] for pair in own]) for k in (0, 1))
                found.append(Area(task.key, method.name, method.label, deletion, insertion))
    return found


def _judged(met: bool, prompts: int) -> bool | None:
    return met if prompts >= LEAST else None


def _hit_goals(rows: tuple[BenchmarkRow, ...]) -> list[Goal]:
    goals = []
    for task in GOAL_TASKS:
        here = [r for r in rows if r.task == task and r.arm == FULL and not r.control]
        gradient = {m.name for m in METHODS if m.needs == "gradients"}
        for what, names, wanted in (
            ("best gradient method, cause first", gradient, GRADIENT_GOAL),
            ("leave one out, cause first", {"leave_one_out"}, LEAVE_ONE_OUT_GOAL),
        ):
            # A method seen on a few prompts must not win by luck.
            known = [r for r in here if r.method in names]
            most = max((r.measures["top1"].count for r in known), default=0)
            best = max(
                (r for r in known if r.measures["top1"].count >= min(LEAST, most)),
                key=lambda r: r.measures["top1"].value,
                default=None,
            )
            if best is None:
                goals.append(Goal(what, task, f"at least {wanted:.2f}", "not measured", None))
                continue
            top1 = best.measures["top1"]
            got = f"{top1.value:.2f} ({best.label}, {top1.count} prompts)"
            met = _judged(top1.value >= wanted, top1.count)
            goals.append(Goal(what, task, f"at least {wanted:.2f}", got, met))
    return goals


def _chance_goals(rows: tuple[BenchmarkRow, ...]) -> list[Goal]:
    goals = []
    for row in rows:
        if row.arm == RANDOM_WEIGHTS and "top1" in row.measures:
            top1, chance = row.measures["top1"], row.measures["chance"].value
            near = top1.low <= chance <= top1.high or abs(top1.value - chance) <= NEAR_CHANCE
            got = f"{top1.value:.2f} ({top1.count} prompts)"
            goals.append(
                Goal(
                    f"{row.label}: near chance",
                    row.task,
                    f"near {chance:.2f}",
                    got,
                    _judged(near, top1.count),
                )
            )
    return goals


def _change_goals(changes: tuple[BenchmarkRow, ...]) -> list[Goal]:
    goals = []
    for row in changes:
        top1 = row.measures["top1"]
        got = f"{100 * top1.value:+.0f} points ({top1.count} prompts)"
        met = _judged(abs(top1.value) <= CHANGE_GOAL + 1e-9, top1.count)
        goals.append(Goal(f"{row.label}: cause first, change", row.task, "at most 5 points", got, met))
    return goals
