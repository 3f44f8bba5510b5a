"""Scores every salience method against causes that are known: `python -m benchmarks.planted_causes`.

Draws held-out prompts of the demo model's grammar, keeps those whose cause is verified by intervention, ranks
their lines with each method, each control and each variant of the model, and writes
`data/planted_causes.json` (read by the Trust page) and `docs/planted-causes.md`. What is measured is kept
line by line in `out/`, so an interrupted run goes on where it was; `--minutes` or Ctrl+C ends one in time
and writes the figures so far.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from benchmarks.planted import document, summary
from benchmarks.planted.ledger import Ledger
from core.errors import AppError
from core.faithfulness import CONTROLS, Case, Trial, control_finding, countable_parts, curves, finding, verify
from core.faithfulness import results as published
from core.faithfulness.results import FULL, RANDOM_WEIGHTS
from core.models import folder, load
from core.records import GenerationParams, ModelSpec
from core.salience import METHODS, Method
from core.settings import ROOT
from tools.demo_model.grammar.planted import TASKS, PlantedTask

SEED = 11
CHUNK = 8
"""Prompts a task that are dealt with at a time: counts stay even whenever the time runs out."""
PARAMS = GenerationParams(max_new_tokens=160)
DEAR = ("integrated_gradients",)
"""Methods that cost dozens of passes of the model each."""
DEAR_EVERY = 4
ALL_TASKS, ALL_ARMS = ",".join(task.key for task in TASKS), "random,nf4,int8"
CURVES_EVERY = 4
CURVE_STEPS, CURVE_REPEATS = 6, 2


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

    All but the quick ones on every `thin`-th alone, dear ones on every `dear`-th of those.

    Quantised models are asked for quick gradient methods: what they change is a question about the model.
    """
    every = dear if method.name in DEAR else 1
    quick = method.needs == "gradients" and method.name not in DEAR
    if arm not in (FULL, RANDOM_WEIGHTS) and not quick:
        return False
    return row % (every if quick and arm == FULL else every * thin) == 0


def random_twin(spec: ModelSpec, place: Path) -> ModelSpec:
    """The architecture of `spec` with fresh random weights and the same tokenizer, in `place`."""
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(SEED)
    path = ROOT / spec.path
    AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(path)).float().save_pretrained(place)
    AutoTokenizer.from_pretrained(path).save_pretrained(place)
    return ModelSpec(RANDOM_WEIGHTS, str(place))


def measure(
    arms: dict[str, Any], trial: Trial, task: str, row: int, given: argparse.Namespace, ledger: Ledger
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


def _areas(model: Any, trial: Trial, row: int) -> dict[str, list[float]]:
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


def run(arms: dict[str, Any], ledger: Ledger, given: argparse.Namespace, say: Callable[[str], None]) -> None:
    """Chunk after chunk over all tasks until all is measured or the time is up."""
    begun, prompts, seconds = time.monotonic(), given.prompts, given.minutes * 60
    tasks = [task for task in TASKS if task.key in given.tasks.split(",")]
    for start in range(0, prompts, CHUNK):
        for task in tasks:
            rows = range(start, min(start + CHUNK, prompts))
            cases = {row: case_of(task, row) for row in rows}
            ask = [row for row in rows if not ledger.known(task.key, row)]
            if time.monotonic() - begun > seconds:
                say("The time is up; the same command goes on from here.")
                return
            made = verify(arms[FULL], [cases[row] for row in ask], PARAMS, batch_size=CHUNK)
            for row, trial in zip(ask, made):
                ledger.keep(task.key, row, trial)
            for row in rows:
                trial = ledger.trial(task.key, row, cases[row])
                if trial.verdict == "verified" and time.monotonic() - begun <= seconds:
                    measure(arms, trial, task.key, row, given, ledger)
            say(f"{time.monotonic() - begun:6.0f} s  {rows.stop:4d} of {prompts} prompts  {task.key}")


def _arms(
    spec: ModelSpec, given: argparse.Namespace, place: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """The model and its variants, loaded; one that cannot be loaded here is left out and named."""
    arms: dict[str, Any] = {FULL: load(spec)}
    for name in filter(None, given.arms.split(",")):
        try:
            if name == "random":
                arms[RANDOM_WEIGHTS] = load(random_twin(spec, place))
            else:
                arms[name] = load(ModelSpec(name, given.model, quantization=name))
        except AppError as error:
            say(f"{name} is left out: {error}")
    return arms


def _command(given: argparse.Namespace) -> str:
    """What decides the figures; the time at which a run ended stands beside it."""
    said = f"python -m benchmarks.planted_causes --prompts {given.prompts} --thin {given.thin}"
    tasks = "" if given.tasks == ALL_TASKS else f" --tasks {given.tasks}"
    arms = "" if given.arms == ALL_ARMS else f" --arms {given.arms or chr(39) * 2}"
    return said + (f" --dear {given.dear}" if given.dear != DEAR_EVERY else "") + tasks + arms


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="data/models/demo", help="a folder with a model of the grammar")
    parser.add_argument("--prompts", type=int, default=300, help="prompts a task")
    parser.add_argument("--minutes", type=float, default=600.0, help="when to end, whatever is done by then")
    parser.add_argument("--thin", type=int, default=1, help="slow methods on every THIN-th prompt alone")
    parser.add_argument("--dear", type=int, default=DEAR_EVERY, help="the slowest on every DEAR-th of those")
    parser.add_argument("--tasks", default=ALL_TASKS, help="which tasks, joined by commas")
    parser.add_argument("--arms", default=ALL_ARMS, help="variants of the model, besides itself")
    given = parser.parse_args(arguments)
    spec = ModelSpec("demo", given.model, revision=folder.revision(ROOT / given.model))
    say = lambda text: print(text, flush=True)  # noqa: E731
    ledger = Ledger(ROOT / "out" / "planted_causes" / f"{weights(ROOT / given.model)}-{SEED}.jsonl")
    if given.minutes > 0:  # else only what is known already is written anew
        begun = time.monotonic()
        with TemporaryDirectory() as place, suppress(KeyboardInterrupt):
            run(_arms(spec, given, Path(place), say), ledger, given, say)
        ledger.ran((time.monotonic() - begun) / 60, _command(given))
    found = summary.results(ledger, spec, given.prompts, datetime.datetime.now(datetime.UTC).date())
    published.write(found)
    document.write(found)
    say(f"Wrote {published.PATH.relative_to(ROOT)} and {document.PATH.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
