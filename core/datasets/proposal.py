"""Which column is the prompt, the right answers, the source, the rows' names: a proposal, to be changed by a person.

It goes by names that people use and by what stands in the columns. Where no column is called like a prompt, the
longest text is proposed and the proposal is not `sure`: nothing is loaded from it without being asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import regex

from core.datasets.names import (
    CALLED,
    CHATS,
    CHOICES,
    CONTEXTS,
    NEXT,
    PROMPTS,
    SOURCES,
    SYSTEMS,
    TARGETS,
    plain_name,
)
from core.datasets.plan import ColumnPlan, variables
from core.datasets.rows import FileColumn, FileRows, value_at

_LABELLED = ("sentence", "text", "document", "article", "review", "tweet")
"""Texts of which a `label` is the answer; beside a prompt it is a name."""
_SAMPLE = 50


@dataclass(frozen=True, slots=True)
class ImportProposal:
    """A plan, and whether the columns' names leave no doubt about the prompt."""

    plan: ColumnPlan
    sure: bool
    from_before: bool = False
    """Whether it is what was chosen for an earlier file of the same shape."""


def propose(rows: FileRows, before: ColumnPlan | None = None) -> ImportProposal:
    """The proposal for `rows`; `before` is what was chosen for a file of the same shape."""
    if before is not None and before.ready:
        return ImportProposal(before, True, True)
    return _Proposing(rows).proposal()


class _Proposing:
    def __init__(self, rows: FileRows) -> None:
        self.rows = rows
        self.columns = rows.columns
        self.prompt_path = ""
        self.by_path = {column.path: column for column in rows.columns}
        self.top: dict[str, FileColumn] = {}
        self.inner: dict[str, FileColumn] = {}
        for column in reversed(rows.columns):
            where = self.top if column.path in rows.top else self.inner
            name = column.path if column.path in rows.top else column.path.rpartition(".")[2]
            where[plain_name(name)] = column

    def proposal(self) -> ImportProposal:
        plan, sure = self._prompt()
        self.prompt_path = plan.prompt
        plan = replace(plan, targets=self._targets(plan), source=self._one(SOURCES, plan, ("text",)))
        plan = replace(plan, called=self._called(plan), system=self._system(plan))
        return ImportProposal(plan, sure and plan.ready)

    def _prompt(self) -> tuple[ColumnPlan, bool]:
        chats = [self.top[name] for name in CHATS if name in self.top and self.top[name].kind == "turns"]
        chats += [
            column
            for column in self.columns
            if column.kind == "turns" and plain_name(column.path) not in TARGETS
        ]
        if chats and not ("prompt" in self.top and self.top["prompt"].kind == "text"):
            return ColumnPlan(prompt=chats[0].path), True
        if self.rows.template and variables(self.rows.template, self.by_path):
            return ColumnPlan(template=self.rows.template), True
        found = self._first(PROMPTS, self.top, ("text",))
        turns = self.by_path.get("turns")
        if turns and turns.kind == "texts" and (found is None or plain_name(found.path) != "prompt"):
            return ColumnPlan(prompt="turns.0"), True
        if found is None:
            if "prompt" in self.top:
                return ColumnPlan(prompt=self.top["prompt"].path), True
            found = self._first(PROMPTS, self.inner, ("text",))
            if found is None:
                return self._longest(), False
        return self._with_what_belongs(found), True

    def _with_what_belongs(self, prompt: FileColumn) -> ColumnPlan:
        name = plain_name(prompt.path)
        if name in NEXT:
            behind = self._first(NEXT[name], self.top, ("text",)) or self._nested("input")
            if behind and behind.path != prompt.path and self._filled(behind):
                return ColumnPlan(template=f"{{{prompt.path}}}\n\n{{{behind.path}}}")
        if name in ("question", "query"):
            context = self._first(CONTEXTS, self.top, ("text",))
            choices = self._choices()
            letters = self._letters()
            text = f"{{{context.path}}}\n\n" if context and self._filled(context) else ""
            text += f"{{{prompt.path}}}"
            if choices:
                text += f"\n{{{choices.path}}}"
            elif letters:
                text += "".join(f"\n{letter}. {{{letter}}}" for letter in letters) + "\nAnswer:"
            if text != f"{{{prompt.path}}}":
                return ColumnPlan(template=text)
        return ColumnPlan(prompt=prompt.path)

    def _choices(self) -> FileColumn | None:
        """The list of what may be answered; of ARC's kind within an object, beside its labels."""
        found = self._first(CHOICES, self.top, ("texts",))
        if found is not None:
            return found
        held = self._first(CHOICES, self.top, ("object",))
        inner = self.by_path.get(f"{held.path}.text") if held is not None else None
        return inner if inner is not None and inner.kind == "texts" else None

    def _lettered(self, path: str) -> bool:
        """Whether each answer is a letter, so that it counts the choices from A."""
        return all(str(value_at(row, path)) in "ABCDEFGH" for row in self.rows.sample[:_SAMPLE])

    def _letters(self) -> list[str]:
        """The columns A, B, C, … of a multiple choice, where there are at least two."""
        found = [letter for letter in "ABCDEFGH" if letter in self.by_path]
        return found if len(found) > 1 and found == list("ABCDEFGH"[: len(found)]) else []

    def _nested(self, name: str) -> FileColumn | None:
        """A column called `name` in the first of a list of objects, where an answer stands beside it."""
        for column in self.columns:
            head, dot, tail = column.path.rpartition(".")
            if (
                tail == name
                and dot
                and head.endswith(".0")
                and any(f"{head}.{t}" in self.by_path for t in TARGETS)
            ):
                return column
        return None

    def _longest(self) -> ColumnPlan:
        texts = [c for c in self.columns if c.kind == "text" and c.filled and not self._is_target(c)]
        if not texts:
            return ColumnPlan()
        return ColumnPlan(prompt=max(texts, key=lambda column: column.chars / max(1, column.filled)).path)

    def _targets(self, plan: ColumnPlan) -> tuple[str, ...]:
        used = set(plan.used(self.by_path))
        if "targets" in self.top and self.top["targets"].kind == "texts" and "target" in self.top:
            return (self.top["target"].path, self.top["targets"].path)
        expected = [
            c.path
            for c in self.columns
            if c.path in self.rows.top and regex.fullmatch(r"__expected\d*", c.path)
        ]
        if expected:
            return tuple(expected)
        first = next((path for path in used if path.endswith("turns.0")), "")
        if first and "reference.0" in self.by_path:
            return ("reference.0",)
        for name in TARGETS:
            column = self.top.get(name)
            free = column and column.path not in used and (column.filled or name == "target")
            if column and free and (path := self._target_path(column, name)):
                others = (f"{column.path}.{key}" for key in ("aliases",) if path == f"{column.path}.value")
                return (path, *(other for other in others if other in self.by_path))
        zero = next((path.rpartition(".")[0] for path in used if ".0." in path), "")
        for name in TARGETS:
            column = self.by_path.get(f"{zero}.{name}") if zero else self.inner.get(name)
            if (
                column
                and column.path not in used
                and column.filled
                and column.kind in ("text", "texts", "number")
            ):
                beside = {path.rpartition(".")[0] for path in used}
                if zero or column.path.rpartition(".")[0] in beside:
                    return (column.path,)
        return ()

    def _target_path(self, column: FileColumn, name: str) -> str:
        choices = self._choices()
        if choices and name in ("answer", "label", "answer_key", "answerkey", "target"):
            numbered = f"{choices.path}[{column.path}]"
            sample = self.rows.sample[:_SAMPLE]
            if choices.path not in self.rows.top and not self._lettered(column.path):
                return column.path
            own = [value_at(row, column.path) in (value_at(row, choices.path) or ()) for row in sample]
            if sample and all(value_at(row, numbered) is not None for row in sample) and not all(own):
                return numbered
        if name == "target" and column.kind not in ("object", "objects"):
            return column.path
        if name == "target" and f"{column.path}.text" not in self.by_path:
            return column.path
        if column.kind == "object":
            keys = (f"{column.path}.{key}" for key in ("text", "value", "answer"))
            return next((path for path in keys if path in self.by_path), "")
        if column.kind == "objects":
            return next(
                (
                    f"{column.path}.{key}"
                    for key in ("text", "answer", "output")
                    if f"{column.path}.{key}" in self.by_path
                ),
                "",
            )
        if name == "label" and (column.kind != "text" or plain_name(self.prompt_path) not in _LABELLED):
            return ""
        return "" if column.kind in ("list", "empty") else column.path

    def _system(self, plan: ColumnPlan) -> str:
        prompt = self.by_path.get(plan.prompt)
        return self._one(SYSTEMS, plan, ("text",)) if prompt else ""

    def _called(self, plan: ColumnPlan) -> str:
        """The first usual column whose values tell the rows apart."""
        names = [name for name in CALLED if name in self.top]
        while names and (path := self._one(names, plan, ("text", "number"))):
            values = [str(value_at(row, path)) for row in self.rows.sample]
            if len(set(values)) > 0.9 * len(values):
                return path
            names = [name for name in names if self.top[name].path != path]
        return ""

    def _one(self, names: Iterable[str], plan: ColumnPlan, kinds: tuple[str, ...]) -> str:
        used = {*plan.used(self.by_path), *plan.targets, plan.source}
        for name in names:
            column = self.top.get(name)
            if column is None or column.path in used:
                continue
            if name == "source" or (column.kind in kinds and column.filled):
                return column.path
        return ""

    def _is_target(self, column: FileColumn) -> bool:
        return plain_name(column.path) in TARGETS or column.path.startswith("__")

    def _filled(self, column: FileColumn) -> bool:
        return any(str(value_at(row, column.path) or "").strip() for row in self.rows.sample)

    def _first(
        self, names: Iterable[str], among: dict[str, FileColumn], kinds: tuple[str, ...]
    ) -> FileColumn | None:
        found = (among[name] for name in names if name in among)
        return next((column for column in found if column.kind in kinds), None)
