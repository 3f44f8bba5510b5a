"""Every measurement of a run, kept as a line of JSON as soon as it is made, so that none is made twice.

Kept apart by the model's weights and the seed (the folder's name); each chunk of prompts has a file of its
own, so that processes never write to the same one. Knows no summary.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.faithfulness import Case, Finding, PlantedPrompt
from core.records import Tokens

ARRAYS = ("ids", "char_spans", "special", "role")


class Ledger:
    """Trials by (task, row), findings by (task, row, arm, method), areas by (task, row).

    New lines go to `path`; `others` are only read.
    """

    def __init__(self, path: Path, *others: Path) -> None:
        self.path = path
        self.trials: dict[tuple[str, int], dict[str, Any]] = {}
        self.findings: dict[tuple[str, int, str, str], Finding] = {}
        self.curves: dict[tuple[str, int], dict[str, list[float]]] = {}
        self.minutes = 0.0
        self.commands: dict[str, None] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        for file in (path, *others):
            for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
                try:
                    self._take(json.loads(line))
                except ValueError:
                    continue  # the last line of a run that was killed while it wrote

    def _take(self, held: dict[str, Any]) -> None:
        match held["kind"]:
            case "trial":
                self.trials[held["task"], held["row"]] = held
            case "finding":
                key = (held["task"], held["row"], held["arm"], held["method"])
                self.findings[key] = Finding(tuple(held["ranks"]), held["segments"], held["flat"])
            case "curves":
                self.curves[held["task"], held["row"]] = held["areas"]
            case "minutes":
                self.minutes += held["minutes"]
                if held.get("command"):
                    self.commands[held["command"]] = None

    def _add(self, **held: Any) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(held, ensure_ascii=False) + "\n")
        self._take(held)

    def known(self, task: str, row: int) -> bool:
        return (task, row) in self.trials

    def keep(self, task: str, row: int, trial: PlantedPrompt) -> None:
        held: dict[str, Any] = {"kind": "trial", "task": task, "row": row, "verdict": trial.verdict}
        if trial.tokens is not None:
            tokens = trial.tokens
            arrays = {name: getattr(tokens, name).tolist() for name in ARRAYS}
            held |= {"target": trial.target, "text": tokens.text, "prompt_len": tokens.prompt_len, **arrays}
        self._add(**held)

    def trial(self, task: str, row: int, case: Case) -> PlantedPrompt:
        held = self.trials[task, row]
        if "ids" not in held:
            return PlantedPrompt(case, held["verdict"])
        arrays = {name: held[name] for name in ARRAYS}
        tokens = Tokens(text=held["text"], prompt_len=held["prompt_len"], **arrays)
        return PlantedPrompt(case, held["verdict"], tokens, tuple(held["target"]))

    def once(self, task: str, row: int, arm: str, method: str, make: Callable[[], Finding]) -> None:
        if (task, row, arm, method) not in self.findings:
            made = make()
            self._add(
                kind="finding", task=task, row=row, arm=arm, method=method,
                ranks=made.ranks, segments=made.segments, flat=made.flat,
            )  # fmt: skip

    def areas(self, task: str, row: int, make: Callable[[], dict[str, list[float]]]) -> None:
        if (task, row) not in self.curves:
            self._add(kind="curves", task=task, row=row, areas=make())

    def ran(self, minutes: float, command: str) -> None:
        """One run more: its `minutes` are added up, its command is named beside the others'."""
        self._add(kind="minutes", minutes=minutes, command=command)
