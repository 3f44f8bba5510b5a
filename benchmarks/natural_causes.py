"""Scores *Find the cause* on real models and natural prompts: `python -m benchmarks.natural_causes --model FOLDER`.

A prompt counts only when the model writes the planted words greedily and no longer does once the cause is mended. The
removal of the cause is measured too, but does not decide: prompts chosen by removal would flatter a method that
removes. Lines are kept in `out/natural/<model>.jsonl`, so that an interrupted run goes on; `--summary` writes
`data/natural_causes.json` and `docs/natural-causes.md` from all models measured by then. `--model demo` asks the
bundled model in its own grammar.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.natural.prompts import TASKS, NaturalTask
from benchmarks.natural.summary import write
from core.faithfulness import Case
from core.faithfulness.natural_trials import try_natural
from core.faithfulness.planted import verify
from core.faithfulness.searched import map_measures, map_scores, request_of, search
from core.models import load
from core.records import GenerationParams, ModelSpec
from core.settings import ROOT

SEED = 13
DEAR, DEAR_EVERY = ("facts_50", "fact_in_50"), 4
"""Long prompts come every so many rounds, until the others are done."""
OUT = ROOT / "out" / "natural"


def variants(case: Case) -> dict[str, Case]:
    """The same prompt with trailing spaces, and with another heading: what should change nothing."""

    def moved(prompt: str, more: Callable[[int], int]) -> Case:
        return Case(prompt, case.target, tuple((a + more(a), b + more(a)) for a, b in case.causes))

    lines = case.prompt.split("\n")
    spaced = "\n".join(f"{line}  " if line and i < len(lines) - 1 else line for i, line in enumerate(lines))
    headed = case.prompt.replace(lines[0], "Please read this first:", 1)
    shift = len("Please read this first:") - len(lines[0])
    before = [case.prompt[:a].split("\n")[:-1] for a, _ in case.causes]
    spaces = {a: 2 * sum(bool(x) for x in rows) for (a, _), rows in zip(case.causes, before)}
    return {
        "trailing spaces": moved(spaced, lambda a: spaces[a]),
        "another heading": moved(headed, lambda a: shift),
    }


def measure(model: Any, task: NaturalTask, row: int, thin: int) -> dict[str, Any]:
    case = task.draw(random.Random(f"{SEED} {task.key} {row}"))
    started = time.process_time()
    trial = try_natural(model, task, case)
    line: dict[str, Any] = {"task": task.key, "row": row, "verdict": trial.verdict}
    if trial.verdict != "verified":
        return line
    line["search"] = search(model, trial).plain()
    line["cpu_seconds"] = time.process_time() - started
    if row % thin == 0 and trial.causes():
        request = request_of(trial, model)
        line["maps"] = map_measures(model, trial, request, map_scores(model, trial, request))
    if task.key in ("facts_8", "fewshot_given") and row % thin == 0:
        line["variants"] = {}
        for name, other in variants(trial.case).items():
            again = try_natural(model, task, other)
            if again.verdict == "verified":
                line["variants"][name] = search(model, again).plain()
    return line


def run(spec: ModelSpec, name: str, minutes: float, want: dict[str, int], thin: int) -> None:
    """Measures until every task has what is wanted, or the time is over."""
    path = OUT / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    held = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    model, end = load(spec), time.monotonic() + 60 * minutes
    tasks = demo_tasks() if name == "demo" else TASKS
    left, turn = {task.key: task for task in tasks}, 0
    while left and time.monotonic() < end:
        turn += 1
        for key in list(left):
            if turn % DEAR_EVERY and key in DEAR and len(left) > len(DEAR):
                continue
            task, mine = left[key], [one for one in held if one["task"] == key]
            verified = sum(one["verdict"] == "verified" for one in mine)
            if verified >= want.get(key, 100) or (len(mine) >= 12 and verified * 12 < len(mine)):
                del left[key]
                continue
            row = max((one["row"] for one in mine), default=-1) + 1
            line = demo_line(model, task, row) if name == "demo" else measure(model, task, row, thin)
            held.append(line)
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            if time.monotonic() > end:
                return


def demo_tasks() -> Any:
    from tools.demo_model.grammar.planted import TASKS as planted

    return planted


def demo_line(model: Any, task: Any, row: int) -> dict[str, Any]:
    """The demo in its own grammar, answers of up to 160 tokens."""
    from benchmarks.planted_causes import case_of

    started = time.process_time()
    (trial,) = verify(
        model, [case_of(task, 10_000 + row)], GenerationParams(max_new_tokens=160), batch_size=1
    )
    line: dict[str, Any] = {"task": task.key, "row": row, "verdict": trial.verdict}
    if trial.verdict == "verified":
        line["search"] = search(model, trial).plain()
        line["cpu_seconds"] = time.process_time() - started
    return line


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", help='folder of a model, or "demo"')
    parser.add_argument("--name", help="what its figures are called")
    parser.add_argument("--dtype", default="float32", help="float32 or bfloat16")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--prompts", type=int, default=100, help="verified prompts a task")
    parser.add_argument("--thin", type=int, default=5, help="every so many prompts are asked in variants too")
    parser.add_argument("--summary", action="store_true")
    given = parser.parse_args()
    if given.model:
        name = given.name or Path(given.model).name
        path = str(ROOT / "data" / "models" / "demo") if given.model == "demo" else given.model
        tasks = demo_tasks() if name == "demo" else TASKS
        run(
            ModelSpec(name, path, dtype=given.dtype),
            name,
            given.minutes,
            {t.key: given.prompts for t in tasks},
            given.thin,
        )
    if given.summary:
        write(OUT)


if __name__ == "__main__":
    main()
