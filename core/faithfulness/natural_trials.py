"""One natural prompt with a planted cause asked of a model: does it count, and was *Find the cause* right?

A prompt counts only when the model writes the planted words greedily and no longer does once the cause is mended. What
came of each is a line of plain JSON values, kept by whoever asks. Knows no file.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import regex

from core.errors import Stopped
from core.faithfulness.natural_prompts import TASKS, NaturalTask
from core.faithfulness.planted import Case, PlantedPrompt, target_tokens
from core.faithfulness.searched import search
from core.models.language_model import LanguageModel
from core.records import GenerationParams, Message, Tokens

Span = tuple[int, int]
Line = dict[str, Any]
"""`task`, `row`, `verdict`; where the prompt counts, `search` (`SearchTrial`)."""
SPANISH = regex.compile(r"\b(el|la|los|las|es|de|que|una|un|en|y|del|por|con)\b", regex.IGNORECASE)
WANTED, GIVEN_UP = 25, 12
"""Prompts a kind that count; and after so many, a kind of which hardly any counts is given up."""
LEFT_OUT = ("facts_50",)
"""Long prompts cost most and say little that shorter ones do not."""
SEED = 17


def wanted_words(task: NaturalTask, case: Case, text: str) -> Span | None:
    """Where the planted words stand in an answer; None where they do not."""
    if task.key == "instruction" and not case.target:
        words = text.split()
        if "in Spanish" in case.prompt:
            spoken = len(words) > 3 and len(SPANISH.findall(text)) >= 0.2 * len(words)
        else:
            spoken = sum(map(str.isalpha, text)) > 8 and text.upper() == text
        return (0, len(text)) if spoken else None
    found = regex.search(rf"(?<![\p{{L}}]){regex.escape(case.target)}(?![\p{{L}}])", text)
    return found.span() if found else None


def ask_natural(
    model: LanguageModel, task: NaturalTask, prompt: str, stop: threading.Event | None = None
) -> Tokens | None:
    """The greedy answer; None where the model has no chat and the task needs one. Raises: Stopped."""
    if task.chat and not model.capabilities.chat:
        return None
    sent = (Message("user", prompt),) if task.chat else prompt
    stops = ("\n\n",) if task.key.startswith("fewshot") else ("\n",)
    params = GenerationParams(max_new_tokens=task.longest, stop=() if task.chat else stops)
    made = model.generate(model.tokenize(sent), params, stop=stop)
    if made.stop_reason == "stopped":
        raise Stopped
    return made.tokens


def try_natural(
    model: LanguageModel, task: NaturalTask, case: Case, stop: threading.Event | None = None
) -> PlantedPrompt:
    """The case with the model's answer, verified by mending. Raises: Stopped."""
    tokens = ask_natural(model, task, case.prompt, stop)
    chars = None if tokens is None else wanted_words(task, case, tokens.response)
    if tokens is None or chars is None:
        return PlantedPrompt(case, "answered otherwise")
    if case.mended is not None:
        after = ask_natural(model, task, case.mended, stop)
        if after is not None and wanted_words(task, case, after.response) is not None:
            return PlantedPrompt(case, "did not flip")
    if task.chat:  # the causes' places move with the template's text in front
        move = tokens.text.find(case.prompt)
        case = Case(
            case.prompt, case.target, tuple((a + move, b + move) for a, b in case.causes), case.mended
        )
    return PlantedPrompt(case, "verified", tokens, target_tokens(tokens, chars))


def measure_natural(
    model: LanguageModel, task: NaturalTask, row: int, stop: threading.Event | None = None
) -> Line:
    """What came of the `row`-th prompt of a task. Raises: Stopped."""
    rng = random.Random(f"{SEED} {task.key} {row}")  # noqa: S311
    trial = try_natural(model, task, task.draw(rng), stop)
    line: Line = {"task": task.key, "row": row, "verdict": trial.verdict}
    if trial.verdict == "verified":
        line["search"] = search(model, trial, stop=stop).plain()
    return line


def still_to_ask(
    lines: Sequence[Line], tasks: Sequence[NaturalTask] = TASKS, most: int = WANTED
) -> Iterator[tuple[NaturalTask, int]]:
    """(task, row) of what is asked next, a prompt of each kind in turn, where `lines` are there by now.

    Read on after each line: the sequence may grow meanwhile.
    """
    while True:
        asked = False
        for task in tasks:
            mine = [line for line in lines if line["task"] == task.key]
            counted = sum(line["verdict"] == "verified" for line in mine)
            hopeless = len(mine) >= GIVEN_UP and counted * GIVEN_UP < len(mine)
            if task.key in LEFT_OUT or counted >= most or hopeless:
                continue
            asked = True
            yield task, max((line["row"] for line in mine), default=-1) + 1
        if not asked:
            return


def share_done(lines: Sequence[Line], tasks: Sequence[NaturalTask] = TASKS, most: int = WANTED) -> float:
    """How much of what is wanted is there, 0 to 1; a kind that was given up is done."""
    left = {task.key for task, _ in _first_round(lines, tasks, most)}
    kinds = [task.key for task in tasks if task.key not in LEFT_OUT]
    counted = {
        key: sum(line["task"] == key and line["verdict"] == "verified" for line in lines) for key in kinds
    }
    done = sum(min(counted[key], most) if key in left else most for key in kinds)
    return done / (most * len(kinds))


def _first_round(
    lines: Sequence[Line], tasks: Sequence[NaturalTask], most: int
) -> list[tuple[NaturalTask, int]]:
    found: list[tuple[NaturalTask, int]] = []
    for task, row in still_to_ask(lines, tasks, most):
        if any(task is one for one, _ in found):
            break
        found.append((task, row))
    return found


def natural_rows(lines: Sequence[Line], model: str, tasks: Sequence[NaturalTask] = TASKS) -> list[Line]:
    """A row a kind, as `natural_results` has them: how many were asked and counted, and what was right of those."""
    rows = []
    for task in tasks:
        mine = [line for line in lines if line["task"] == task.key]
        tried = [line["search"] for line in mine if "search" in line]
        if not tried:
            continue
        maps = [name for name in tried[0]["ranks"] if all(name in one["ranks"] for one in tried)]
        rows.append(
            {
                "model": model,
                "task": task.key,
                "label": task.label,
                "asked": len(mine),
                "verified": len(tried),
                "right": sum(one["right"] for one in tried),
                "maps_first": {m: sum(one["ranks"][m] <= len(one["causes"]) for one in tried) for m in maps},
                "maps_in_five": {m: sum(one["ranks"][m] <= 5 for one in tried) for m in maps},
            }
        )
    return rows
