"""Scores every salience method against causes that are known: `python -m benchmarks.planted_causes`.

Draws held-out prompts of the demo model's grammar, keeps those whose cause is verified by intervention, ranks
their lines with each method, each control and each variant of the model, and writes
`data/planted_causes.json` (read by the Trust page) and `docs/planted-causes.md`. Processes of one thread each
take chunks of a task's prompts, until every task has as many verified ones as were asked for. What is
measured is kept line by line in `out/`, so an interrupted run goes on where it was; `--minutes` or Ctrl+C
ends one in time and writes the figures so far.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import os
import random
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from benchmarks.planted import document, summary
from benchmarks.planted.ledger import Ledger
from core.errors import AppError
from core.faithfulness import (
    CONTROLS,
    Case,
    PlantedPrompt,
    control_finding,
    countable_parts,
    curves,
    finding,
    verify,
)
from core.faithfulness import results as published
from core.faithfulness.results import FULL, RANDOM_WEIGHTS
from core.models import load
from core.models.local import folder
from core.records import GenerationParams, ModelSpec
from core.salience import METHODS, Method
from core.settings import ROOT
from tools.demo_model.grammar.planted import TASKS, PlantedTask

SEED = 11
CHUNK = 8
"""Prompts a task that one process deals with at a time: counts stay even whenever the time runs out."""
MOST_DRAWN = 2
"""A task is given up at so many times the prompts asked for: what is verified so rarely is no task."""
PARAMS = GenerationParams(max_new_tokens=160)
DEAR = ("integrated_gradients",)
"""Methods that cost dozens of passes of the model each."""
DEAR_EVERY = 4
ALL_TASKS, ALL_ARMS = ",".join(task.key for task in TASKS), "random,nf4,int8"
CURVES_EVERY = 8
CURVE_STEPS, CURVE_REPEATS = 6, 2
RUNS = "runs.jsonl"


def weights(path: Path) -> str:
    """Content address of all that can change a measurement: a card or an evaluation cannot."""
    hashed = hashlib.sha256()
    for file in [*sorted(path.glob("*.safetensors")), path / "tokenizer.json"]:
        hashed.update(file.read_bytes())
    return hashed.hexdigest()[:16]


def case_of(task: PlantedTask, row: int) -> Case:
    record = task.draw(random.Random(f"{SEED} {task.key} {row}"))
    return Case(
        record.prompt,
        record.target,
        record.causes,
        record.mend.prompt if record.mend and task.causes else None,
    )


def due(method: Method, arm: str, row: int, thin: int, dear: int) -> bool:
    """Whether `method` is run on this prompt.

    Quick gradient methods on the model itself always are. Leave one out, and quick methods on a variant of
    the model, are on every `thin`-th prompt; dear methods, and slow ones on random weights, on every
    `dear`-th of those. Quantised models are asked for quick methods alone: what they change is a question
    about the model.
    """
    quick = method.needs in ("gradients", "gim") and method.name not in DEAR
    if arm not in (FULL, RANDOM_WEIGHTS) and not quick:
        return False
    rare = method.name in DEAR or (arm == RANDOM_WEIGHTS and not quick)
    return row % (1 if quick and arm == FULL else thin * dear if rare else thin) == 0


def random_twin(spec: ModelSpec, place: Path) -> ModelSpec:
    """The architecture of `spec` with fresh random weights and the same tokenizer, in `place`."""
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(SEED)
    path = ROOT / spec.path
    AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(path)).float().save_pretrained(place)
    AutoTokenizer.from_pretrained(path).save_pretrained(place)
    return ModelSpec(RANDOM_WEIGHTS, str(place))


def measure(
    arms: dict[str, Any], trial: PlantedPrompt, task: str, row: int, given: argparse.Namespace, ledger: Ledger
) -> None:
    """Everything that is due for one verified prompt and not yet in the ledger."""
    for control in CONTROLS:
        ledger.once(task, row, FULL, control.name, lambda c=control: control_finding(trial, c, SEED + row))
    for arm, model in arms.items():
        for method in METHODS:
            if due(method, arm, row, given.thin, given.dear):
                ledger.once(task, row, arm, method.name, lambda m=model, one=method: finding(m, trial, one))
    if row % (CURVES_EVERY * given.thin) == 0 and trial.case.causes:
        ledger.areas(task, row, lambda: _areas(arms[FULL], trial, row))


def _areas(model: Any, trial: PlantedPrompt, row: int) -> dict[str, list[float]]:
    """Deletion and insertion area of each method that costs little, nats."""
    cheap = [method for method in METHODS if method.name not in DEAR]
    found: dict[str, list[float]] = {method.name: [] for method in cheap}
    assert trial.tokens is not None
    for insertion in (False, True):
        made = curves(
            model, trial.tokens, trial.target, countable_parts(trial.lines), cheap,
            insertion=insertion, steps=CURVE_STEPS, repeats=CURVE_REPEATS, seed=row,
        )  # fmt: skip
        for trace in made:
            if not trace.control:
                found[trace.name].append(trace.area_nats)
    return found


def _arms(given: argparse.Namespace) -> dict[str, Any]:
    """The model and its variants, loaded; one that cannot be loaded here is left out and named."""
    arms: dict[str, Any] = {FULL: load(spec_of(given))}
    for name in filter(None, given.arms.split(",")):
        try:
            if name == "random":
                with TemporaryDirectory() as place:
                    arms[RANDOM_WEIGHTS] = load(random_twin(spec_of(given), Path(place)))
            else:
                arms[name] = load(ModelSpec(name, given.model, quantization=name))
        except AppError as error:
            print(f"{name} is left out: {error}", flush=True)
    return arms


def spec_of(given: argparse.Namespace) -> ModelSpec:
    return ModelSpec("demo", given.model, revision=folder.revision(ROOT / given.model))


def place_of(given: argparse.Namespace) -> Path:
    """The folder that keeps what was measured on these weights."""
    return ROOT / "out" / "planted_causes" / f"{weights(ROOT / given.model)}-{SEED}"


# --- in the processes that measure --------------------------------------------------------------------

_ready: dict[str, Any] = {}
"""The models of this process, loaded once."""


def prepare(given: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    _ready.update(given=given, arms=_arms(given))


def work(key: str, start: int) -> tuple[str, int]:
    """Deals with one chunk of a task's prompts; returns the task and how many of them are verified."""
    given, arms = _ready["given"], _ready["arms"]
    task = next(task for task in TASKS if task.key == key)
    ledger = Ledger(place_of(given) / f"{key}-{start:04d}.jsonl")
    cases = {row: case_of(task, row) for row in range(start, start + CHUNK)}
    ask = [row for row in cases if not ledger.known(key, row)]
    made = verify(arms[FULL], [cases[row] for row in ask], PARAMS, batch_size=CHUNK)
    for row, trial in zip(ask, made):
        ledger.keep(key, row, trial)
    trials = {row: ledger.trial(key, row, case) for row, case in cases.items()}
    verified = {row: trial for row, trial in trials.items() if trial.verdict == "verified"}
    for row, trial in verified.items():
        measure(arms, trial, key, row, given, ledger)
    return key, len(verified)


# --- in the process that hands them out ---------------------------------------------------------------


class Counts:
    """Which chunk of which task comes next: of those that want prompts, the task with the fewest drawn."""

    def __init__(self, tasks: list[str], wanted: int) -> None:
        self.drawn = dict.fromkeys(tasks, 0)
        self.verified = dict.fromkeys(tasks, 0)
        self.wanted = wanted

    def open(self) -> list[str]:
        return [
            task
            for task, drawn in self.drawn.items()
            if self.verified[task] < self.wanted and drawn < MOST_DRAWN * self.wanted
        ]

    def next(self) -> Iterator[tuple[str, int]]:
        while tasks := self.open():
            task = min(tasks, key=self.drawn.__getitem__)
            self.drawn[task] += CHUNK
            yield task, self.drawn[task] - CHUNK


def run(given: argparse.Namespace) -> None:
    """Chunk after chunk over all tasks until every task has its prompts or the time is up."""
    begun = time.monotonic()
    counts = Counts([t.key for t in TASKS if t.key in given.tasks.split(",")], given.prompts)
    chunks, pending = counts.next(), set[Future[tuple[str, int]]]()
    pool = ProcessPoolExecutor(given.jobs, get_context("spawn"), initializer=prepare, initargs=(given,))
    try:
        while True:
            late = time.monotonic() - begun > given.minutes * 60
            while len(pending) < given.jobs and not late and (chunk := next(chunks, None)):
                pending.add(pool.submit(work, *chunk))
            if not pending:
                break
            ended, pending = wait(pending, return_when=FIRST_COMPLETED)
            for one in ended:
                key, verified = one.result()
                counts.verified[key] += verified
                done = f"{counts.verified[key]:4d} of {given.prompts} prompts verified"
                print(f"{time.monotonic() - begun:6.0f} s  {done}  {key}", flush=True)
            if not counts.open() and not pending:
                return
    finally:
        pool.shutdown(cancel_futures=True)
    if counts.open():
        print("The time is up; the same command goes on from here.", flush=True)


def _command(given: argparse.Namespace) -> str:
    """What decides the figures; the time at which a run ended stands beside it."""
    said = f"python -m benchmarks.planted_causes --prompts {given.prompts} --thin {given.thin}"
    tasks = "" if given.tasks == ALL_TASKS else f" --tasks {given.tasks}"
    arms = "" if given.arms == ALL_ARMS else f" --arms {given.arms or chr(39) * 2}"
    return said + (f" --dear {given.dear}" if given.dear != DEAR_EVERY else "") + tasks + arms


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="data/models/demo", help="a folder with a model of the grammar")
    parser.add_argument("--prompts", type=int, default=300, help="verified prompts a task")
    parser.add_argument("--minutes", type=float, default=600.0, help="when to end, whatever is done by then")
    parser.add_argument("--thin", type=int, default=1, help="slower methods on every THIN-th prompt alone")
    parser.add_argument("--dear", type=int, default=DEAR_EVERY, help="the slowest on every DEAR-th of those")
    parser.add_argument("--tasks", default=ALL_TASKS, help="which tasks, joined by commas")
    parser.add_argument("--arms", default=ALL_ARMS, help="variants of the model, besides itself")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes, of one thread each")
    given = parser.parse_args(arguments)
    place = place_of(given)
    if given.minutes > 0:  # else only what is known already is written anew
        begun = time.monotonic()
        with suppress(KeyboardInterrupt):
            run(given)
        Ledger(place / RUNS).ran((time.monotonic() - begun) / 60, _command(given))
    ledger = Ledger(place / RUNS, *sorted(place.glob("*-*.jsonl")))
    found = summary.results(ledger, spec_of(given), given.prompts, datetime.datetime.now(datetime.UTC).date())
    published.write(found)
    document.write(found)
    print(f"Wrote {published.PATH.relative_to(ROOT)} and {document.PATH.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
