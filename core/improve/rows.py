"""What prompt texts (templates over a dataset's columns) are worth on its rows: answers and verdicts.

    ask = RowsAsked(values, answer, conditions)
    judged = ask(["Q: {question}", …], rows=[0, 2, 5])      # outcomes (V, R), answers (V, R)

`answer(asked)` gives one text for each (row, prompt); what it was asked is not asked again. Knows no model, no store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.checks import Condition, verdict
from core.checks.measures import rulings
from core.errors import AppError
from core.metrics import MetricRow
from core.metrics.shares import paired
from core.prompt_table import PromptVersion, prompt_of
from core.thinking import answer_of

Answer = Callable[[Sequence[tuple[int, str]]], Sequence[str]]
"""The model's answers to (place of the row, prompt), in their order."""


@dataclass(frozen=True, slots=True)
class RowToAsk:
    """One row: its columns as text, what is right, and what people call it."""

    id: str
    values: Mapping[str, str]
    targets: tuple[str, ...] = ()
    called: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """`outcomes` (V, R): 1 right, 0 wrong, NaN not decided; `answers` (V, R) texts, thinking left out."""

    outcomes: NDArray[np.float64]
    answers: NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Change:
    """One text against another over the rows that are decided under both: counts, difference with interval, exact p."""

    better: int
    worse: int
    same: int
    right: int
    difference: float
    low: float
    high: float
    p: float

    @property
    def rows(self) -> int:
        return self.better + self.worse + self.same


class RowsAsked:
    """Asks texts on rows; `asked` counts the answers that were made."""

    def __init__(
        self, rows: Sequence[RowToAsk], answer: Answer, conditions: Sequence[Condition] = ()
    ) -> None:
        if not rows:
            raise AppError("No rows are chosen.", hint="Choose some rows of the dataset.")
        self.rows, self.conditions = tuple(rows), tuple(conditions)
        self._answer = answer
        self._known: dict[tuple[int, str], str] = {}

    @property
    def asked(self) -> int:
        return len(self._known)

    def prompt(self, text: str, row: int) -> str | AppError:
        """What `row` is asked under the template `text`, or why it is not."""
        return prompt_of(PromptVersion("", text), self.rows[row].values)

    def __call__(self, texts: Sequence[str], rows: Sequence[int] | None = None) -> Judged:
        """Every text on `rows` (places; all of them). Raises: whatever `answer` raises."""
        places = range(len(self.rows)) if rows is None else rows
        prompts = [[self.prompt(text, row) for row in places] for text in texts]
        pairs = {(row, one) for line in prompts for row, one in zip(places, line) if isinstance(one, str)}
        order = sorted(pairs - self._known.keys(), key=lambda pair: (len(pair[1]), pair))
        if order:
            self._known.update(zip(order, self._answer(order), strict=True))
        outcomes = np.full((len(texts), len(places)), np.nan)
        answers = np.full(outcomes.shape, "", object)
        for v, line in enumerate(prompts):
            for r, prompt in enumerate(line):
                if isinstance(prompt, str):
                    text = self._known[places[r], prompt]
                    answers[v, r] = answer_of(text).strip()
                    outcomes[v, r] = self._outcome(self.rows[places[r]], prompt, text)
        return Judged(outcomes, answers)

    def _outcome(self, row: RowToAsk, prompt: str, text: str) -> float:
        if not self.conditions:
            return float("nan")
        found = verdict(rulings(MetricRow(row.id, text, row.targets, prompt=prompt), self.conditions)).outcome
        return {"right": 1.0, "wrong": 0.0}.get(found, float("nan"))


def change(before: NDArray[np.float64], after: NDArray[np.float64]) -> Change:
    """`after` against `before`, outcomes (R,) each."""
    both = np.isfinite(before) & np.isfinite(after)
    old, new = before[both] == 1, after[both] == 1
    if not both.any():
        nan = float("nan")
        return Change(0, 0, 0, 0, nan, nan, nan, 1.0)
    low, high, p = paired(old, new)
    better, worse = int((new & ~old).sum()), int((old & ~new).sum())
    return Change(
        better, worse, int(both.sum()) - better - worse, int(new.sum()),
        float(new.mean() - old.mean()), low, high, p,
    )  # fmt: skip


def halves(
    count: int, outcomes: NDArray[np.float64] | None = None, seed: int = 0
) -> tuple[list[int], list[int]]:
    """Rows to work on and rows held out, half and half, drawn anew within right, wrong and undecided rows.

    Of one row nothing is held out.
    """
    random = np.random.default_rng(seed)
    groups: dict[str, list[int]] = {}
    for row in range(count):
        groups.setdefault("" if outcomes is None else str(outcomes[row]), []).append(row)
    work: list[int] = []
    held: list[int] = []
    for name in sorted(groups):
        drawn = random.permutation(groups[name]).tolist()
        # The odd row of a group goes where there are fewer.
        middle = len(drawn) // 2 + (len(drawn) % 2 and len(work) <= len(held))
        work, held = work + drawn[:middle], held + drawn[middle:]
    return sorted(work), sorted(held)
