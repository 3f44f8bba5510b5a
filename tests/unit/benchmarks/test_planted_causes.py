"""The benchmark's ledger and what is made of it, from measurements written by hand."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from benchmarks.planted import document, summary
from benchmarks.planted.ledger import Ledger
from benchmarks.planted_causes import CHUNK, Counts, due
from core.faithfulness import CONTROLS, Case, Finding, PlantedPrompt
from core.faithfulness.results import FULL, RANDOM_WEIGHTS
from core.records import ModelSpec
from core.salience import method
from tests.unit.fake_model import tokens_of

TASK = "contradicting_example"


def filled(path: Path) -> Ledger:
    """30 prompts: grad L2 finds 27 causes, leave one out all, random weights and the controls 3."""
    ledger = Ledger(path)
    for row in range(30):
        case = Case("a\nb", "x", ((0, 1),), "b")
        verdict = "verified" if row < 28 else "did not flip"
        ledger.keep(TASK, row, PlantedPrompt(case, verdict, tokens_of("a\nb", "x"), (3, 4)))
        for arm, name, hits in (
            (FULL, "grad_l2", 27),
            (FULL, "leave_one_out", 30),
            (RANDOM_WEIGHTS, "grad_l2", 3),
            ("nf4", "grad_l2", 24),
            *((FULL, control.name, 3) for control in CONTROLS),
        ):
            found = Finding((1,) if row < hits else (2,), 10)
            ledger.once(TASK, row, arm, name, lambda made=found: made)
    ledger.areas(TASK, 0, lambda: {"grad_l2": [2.0, 1.0]})
    ledger.ran(1.5, "a command")
    return ledger


def test_the_ledger_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    first = filled(path)
    with path.open("a") as file:
        file.write('{"kind": "finding", "task"')  # a run that was killed while it wrote
    again = Ledger(path)
    assert again.findings == first.findings and again.curves == first.curves and again.minutes == 1.5
    trial = again.trial(TASK, 3, Case("a\nb", "x"))
    assert trial.tokens is not None and trial.tokens.text == "a\nbx" and trial.target == (3, 4)

    def never() -> Finding:
        raise AssertionError("measured twice")

    again.once(TASK, 3, FULL, "grad_l2", never)


def test_goals_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = filled(tmp_path / "ledger.jsonl")
    found = summary.results(ledger, ModelSpec("demo", "somewhere"), 300, datetime.date(2026, 1, 2))
    goals = {(goal.task, goal.what): goal.met for goal in found.goals}
    assert goals[TASK, "best gradient method, cause first"] is True  # 27 of 30 is 0.90
    assert goals[TASK, "leave one out, cause first"] is True
    assert goals[TASK, "Grad L2, random weights: near chance"] is True
    assert goals[TASK, "Grad L2, nf4: cause first, change"] is False  # 10 points less
    assert goals["fact_in_10", "leave one out, cause first"] is None
    (task,) = [task for task in found.tasks if task.key == TASK]
    assert (task.drawn, task.verified, task.did_not_flip, task.lines) == (30, 28, 2, 10.0)
    monkeypatch.setattr(document, "PATH", tmp_path / "planted.md")
    document.write(found)
    text = document.PATH.read_text()
    assert "| Grad L2 | 0.90 [" in text and "**missed**" in text and "Fewer than 300 prompts" in text


@pytest.mark.parametrize(
    ("name", "arm", "rows"),
    [
        ("grad_l2", FULL, [0, 1, 2, 3, 4, 5, 6, 7]),
        ("leave_one_out", FULL, [0, 2, 4, 6]),
        ("integrated_gradients", FULL, [0, 4]),
        ("grad_l2", "nf4", [0, 2, 4, 6]),
        ("leave_one_out", "nf4", []),
        ("integrated_gradients", "int8", []),
        ("grad_l2", RANDOM_WEIGHTS, [0, 2, 4, 6]),
        ("leave_one_out", RANDOM_WEIGHTS, [0, 4]),
    ],
)
def test_slow_methods_run_on_fewer_prompts(name: str, arm: str, rows: list[int]) -> None:
    assert [row for row in range(8) if due(method(name), arm, row, thin=2, dear=2)] == rows


def test_the_task_with_the_fewest_prompts_comes_next_until_each_has_enough() -> None:
    counts = Counts(["a", "b"], wanted=CHUNK)
    chunks = counts.next()
    assert [next(chunks), next(chunks)] == [("a", 0), ("b", 0)]
    counts.verified["a"] = CHUNK
    counts.verified["b"] = CHUNK - 1
    assert list(chunks) == [("b", CHUNK)]  # given up at twice the prompts: nothing is verified any more


def test_a_ledger_reads_the_files_of_other_processes(tmp_path: Path) -> None:
    first = filled(tmp_path / "one.jsonl")
    both = Ledger(tmp_path / "runs.jsonl", tmp_path / "one.jsonl")
    both.ran(1.0, "another command")
    assert both.findings == first.findings
    assert Ledger(tmp_path / "runs.jsonl").findings == {}
    assert both.minutes == 2.5
