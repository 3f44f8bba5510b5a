"""Writes `docs/planted-causes.md`: every figure of a run in tables, and which goals it met and missed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.faithfulness import FLAT, MeanWithInterval
from core.faithfulness.results import FULL, BenchmarkResults, BenchmarkRow, sentence, told_by_form
from core.salience import METHODS
from core.settings import ROOT

PATH = ROOT / "docs" / "planted-causes.md"
HEAD = """# Planted causes: how far each method can be believed

Written by `make bench-methods`; not edited by hand. Each prompt of the demo model's grammar knows which of
its lines causes the answer. A prompt counts only when the model agrees: it writes the expected words, and no
longer does once that line is mended or removed. Each method then ranks the prompt's lines as the Salience
page does (the target is the part of the model's own answer that the cause decides), and the table says how
often the cause comes first. In brackets: bootstrap 95 % intervals over prompts, which have no width where all
prompts agree, however few they are. n: prompts, all sent as plain text.
"""
CONTROLS = """
*Controls* look at no model (random order, position, length, words shared with the answer), or are the same
method on the same architecture with random weights: what a method does not beat there, it does not know.
"""


def write(found: BenchmarkResults) -> None:
    PATH.write_text("\n".join(_lines(found)).rstrip() + "\n", encoding="utf-8")


def _lines(found: BenchmarkResults) -> Iterable[str]:
    yield HEAD
    yield f"- Model: `{found.path}`, revision `{found.revision}`, float32 unless a row says otherwise."
    commands = ", then ".join(f"`{command}`" for command in found.command.split("; "))
    yield f"- {found.date}: {commands}, {found.minutes:.0f} minutes in all."
    yield f"- Verified prompts a task: {found.asked:,} asked for, {found.verified:,} reached at least."
    if found.verified < 300:
        yield (
            "- **Fewer than 300 prompts a task**: the time ended this run early, so the intervals are wide. "
            "`make bench-methods` goes on from what is kept in `out/` and makes it whole."
        )
    yield "\n## In words\n"
    for method in METHODS:
        rows = [r for r in found.rows if r.method == method.name and r.arm == FULL]
        yield f"- {sentence(method.label, rows)}"
    for line in told_by_form(found):
        yield f"- {line}"
    yield "\n## Prompts\n"
    yield from _table(
        (
            "task",
            "what is planted",
            "drawn",
            "verified",
            "answered otherwise",
            "did not flip",
            "lines (mean)",
        ),
        [
            (t.key, t.label, t.drawn, t.verified, t.answered_otherwise, t.did_not_flip, f"{t.lines:.1f}")
            for t in found.tasks
        ],
    )
    yield "\n## Goals\n"
    met = [goal.met for goal in found.goals]
    yield (
        f"{met.count(True)} met, {met.count(False)} missed, {met.count(None)} not judged (under 20 prompts). "
        "Goals are judged by the value itself, not by its interval.\n"
    )
    yield from _table(
        ("task", "goal", "wanted", "got", ""),
        [
            (g.task, g.what, g.wanted, g.got, {True: "met", False: "**missed**", None: "not judged"}[g.met])
            for g in found.goals
        ],
    )
    yield CONTROLS
    for task in found.tasks:
        rows = [row for row in found.rows if row.task == task.key]
        yield f"\n## {task.key}: {task.label}\n"
        yield from _no_cause(rows) if not task.causes else _caused(rows, task.causes)
    yield "\n## Quantised against float32\n"
    yield "Change of the share of prompts whose cause comes first, the same prompts and answers.\n"
    yield from _table(
        ("task", "method", "change", "n"),
        [(r.task, r.label, _signed(r.measures["top1"]), r.measures["top1"].count) for r in found.changes],
    )
    yield "\n## Deletion and insertion\n"
    yield (
        "No known cause is needed: lines are removed (or put in) strongest first, and the answer's "
        "log-probability is measured after the same numbers of lines for every order. The figure is the mean "
        "distance from random orders in nats, positive where the method's order is better than chance.\n"
    )
    yield from _table(
        ("task", "method", "deletion", "insertion", "n"),
        [
            (a.task, a.label, _signed(a.deletion, 2, 1), _signed(a.insertion, 2, 1), a.deletion.count)
            for a in found.areas
        ],
    )


def _caused(rows: Sequence[BenchmarkRow], causes: int) -> Iterable[str]:
    names = ["top1", "top3", "mrr", *(["precision"] if causes > 1 else [])]
    heads = {"top1": "first", "top3": "first three", "mrr": "mean reciprocal rank"}
    columns = [heads.get(name, f"precision@{causes}") for name in names]
    yield from _table(
        ("method", *columns, "n"),
        [
            (
                f"*{row.label}*" if row.control else row.label,
                *(_estimate(row.measures[name]) for name in names),
                row.measures["top1"].count,
            )
            for row in rows
        ],
    )
    if rows:
        yield f"\nChance, for a cause first: {rows[0].measures['chance'].value:.2f}."


def _no_cause(rows: Sequence[BenchmarkRow]) -> Iterable[str]:
    yield "No line states what is asked. Share of maps that the page calls *nothing decisive*:\n"
    yield from _table(
        ("method", "nothing decisive", "n"),
        [(row.label, _estimate(row.measures[FLAT]), row.measures[FLAT].count) for row in rows],
    )


def _estimate(one: MeanWithInterval) -> str:
    return f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}]"


def _signed(one: MeanWithInterval, digits: int = 0, scale: int = 100) -> str:
    value, low, high = (f"{scale * x:+.{digits}f}" for x in (one.value, one.low, one.high))
    return f"{value} [{low}, {high}]{' points' if scale == 100 else ''}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterable[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(str(cell) for cell in row)} |"
