"""FileRows become examples by a plan; a row that cannot is a problem with its line and the reason.

Text is taken as it stands: no stripping, an empty target stays empty. NaN, null and #N/A are no target. Columns that
are neither prompt nor target nor source are kept in `Example.fields`; those that are called like a field with a
meaning of its own (`OWN_FIELDS`) are kept apart, "(from the file)". Knows no file format, network or database.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import regex

from core.datasets import expectations
from core.datasets.bounds import Bounds, missing
from core.datasets.counts import RowCounts
from core.datasets.plan import ColumnPlan, fill
from core.datasets.rows import FileRows, Row, RowProblem, value_at
from core.datasets.templates import variables
from core.datasets.turns import ChatRow, chat_of, looks_like_turns
from core.datasets.values import kind_of, plain, shown, text_fault, texts_in
from core.errors import AppError
from core.records import Example, Message, digest

OWN_FIELDS = ("earlier_turns", "targets", "called")
"""Names in `Example.fields` that mean something (`core.records.Example`)."""
FROM_FILE = " (from the file)"


@dataclass(frozen=True, slots=True)
class LoadedDataset:
    """What was read: examples, lines that could not be used, remarks for the person, and how it was read."""

    name: str
    origin: str
    examples: tuple[Example, ...]
    problems: tuple[RowProblem, ...] = ()
    notes: tuple[str, ...] = ()
    plan: ColumnPlan = field(default_factory=ColumnPlan)
    shape: str = ""
    counts: RowCounts = field(default_factory=lambda: RowCounts(0, 0))

    def kept(self) -> dict[str, Any]:
        """What stands beside the dataset: plan, shape, counts and notes, as JSON would hold it."""
        return {
            "plan": self.plan.to_json(),
            "shape": self.shape,
            "rows": self.counts.rows,
            "used": self.counts.used,
            "left_out": [list(pair) for pair in self.counts.left_out],
            "whole": self.counts.whole,
            "notes": list(self.notes),
        }


def check(plan: ColumnPlan, rows: FileRows) -> None:
    """Raises `AppError` where `plan` says no prompt, or names a column that is not there."""
    listed = ", ".join(rows.top[:12]) or "none"
    if not plan.ready:
        raise AppError(
            f"It is not said what the prompt is. The columns are: {listed}.",
            hint="Choose a column, or write a template such as Q: {question}.",
        )
    wanted = (
        *([] if plan.template.strip() else [plan.prompt]),
        *plan.targets,
        plan.source,
        plan.called,
        plan.system,
    )
    known = {column.path for column in rows.columns}
    for path in wanted:
        head = regex.split(r"[.\[]", path, maxsplit=1)[0]
        if path and path not in known and head not in rows.top and rows.rows:
            raise AppError(f"There is no column “{path}”.", hint=f"The columns are: {listed}.")
    if plan.template.strip() and rows.rows and not plan.used([column.path for column in rows.columns]):
        raise AppError(
            "The template names no column, so every prompt would be the same.",
            hint=f"Write a column in braces, such as {{{rows.top[0] if rows.top else 'question'}}}.",
        )


def to_examples(rows: FileRows, plan: ColumnPlan, bounds: Bounds) -> LoadedDataset:
    """The examples that `plan` makes of `rows`; their ids depend on the name, the line and the prompt only.

    Raises: AppError as `check` does.
    """
    check(plan, rows)
    names = [column.path for column in rows.columns]
    making = _Making(plan, names, rows, bounds)
    examples: list[Example] = []
    problems = list(rows.problems)
    for line, row in rows.rows:
        made = making.example(line, row)
        if isinstance(made, str):
            problems.append(RowProblem(line, made))
        else:
            examples.append(made)
    problems.sort(key=lambda problem: problem.line)
    reasons = Counter(problem.reason for problem in problems)
    if rows.past_limit:
        reasons[f"past the first {bounds.max_examples:,} (MAX_EXAMPLES)"] = rows.past_limit
    counts = RowCounts(rows.counted, len(examples), tuple(reasons.most_common()), rows.whole)
    notes = (*rows.notes, *making.told())
    return LoadedDataset(
        rows.name, rows.origin, tuple(examples), tuple(problems), notes, plan, rows.shape, counts
    )


def not_sent(rows: FileRows, plan: ColumnPlan) -> tuple[str, ...]:
    """The file's columns of which nothing reaches the model or the metrics."""
    columns = [column.path for column in rows.columns]
    used = (*plan.used(columns), *plan.targets, plan.source, plan.system)
    heads = {regex.split(r"[.\[]", path, maxsplit=1)[0] for path in used} | set(used)
    heads |= {found["index"] for path in used if (found := regex.search(r"\[(?P<index>[^\[\]]+)\]$", path))}
    return tuple(name for name in rows.top if name not in heads)


class _Making:
    """Makes examples of one file's rows and keeps count of what is to be told."""

    def __init__(self, plan: ColumnPlan, names: Sequence[str], rows: FileRows, bounds: Bounds) -> None:
        self.plan, self.names, self.rows, self.bounds = plan, names, rows, bounds
        self.used = {*((plan.prompt,) if not plan.template.strip() else ()), *plan.targets, plan.source}
        self.emptied: Counter[str] = Counter()
        self.unread_checks = self.further = 0
        paths = (*plan.used(names), *plan.targets)
        self.firsts = {path.split(".0")[0] for path in paths if regex.search(r"\.0(\.|$)", path)}
        """Lists of which the first entry is used."""
        written = variables(plan.template)
        self.template_kept = bool(written) and set(written) == set(plan.used(names)) <= set(rows.top)
        """Whether the Editor can open the prompt as this template (`core.datasets.templates`)."""

    def example(self, line: int, row: Row) -> Example | str:
        asked = self._asked(row)
        if isinstance(asked, str):
            return asked
        if not asked.prompt.strip():
            return "The prompt is empty."
        if len(asked.prompt) > self.bounds.max_prompt_chars:
            most = self.bounds.max_prompt_chars
            return f"The prompt has {len(asked.prompt):,} characters; at most {most:,} are read."
        targets = self._targets(row, asked)
        if isinstance(targets, str):
            return targets
        source = value_at(row, self.plan.source) if self.plan.source else None
        if not missing(source) and not isinstance(source, (str, int, float)):
            return f"The source should be text, but it is {kind_of(source)}."
        fields = self._fields(row, asked, targets)
        for text in texts_in([asked.prompt, *targets, "" if missing(source) else str(source), fields]):
            if fault := text_fault(text):
                return fault
        return Example(
            id=digest(self.rows.name, line, asked.prompt)[:20],
            prompt=asked.prompt,
            target=targets[0] if targets else None,
            source="" if missing(source) else str(source),
            fields=fields,
        )

    def _asked(self, row: Row) -> ChatRow | str:
        if self.plan.template.strip():
            chat: ChatRow | str = ChatRow(
                (), fill(self.plan.template, self.names, lambda name: shown(value_at(row, name))), None
            )
        else:
            chat = self._prompt(row)
        if isinstance(chat, str):
            return chat
        earlier = row.get("earlier_turns")
        if not chat.earlier and isinstance(earlier, list) and looks_like_turns(earlier):
            turns = chat_of([*earlier, {"role": "user", "content": chat.prompt}])
            chat = turns if isinstance(turns, ChatRow) else chat
        system = value_at(row, self.plan.system) if self.plan.system else None
        if isinstance(system, str) and system.strip() and not missing(system):
            chat = ChatRow((Message("system", system), *chat.earlier), chat.prompt, chat.answer)
        return chat

    def _prompt(self, row: Row) -> ChatRow | str:
        value = value_at(row, self.plan.prompt)
        if value is None and self.plan.prompt not in row:
            listed = ", ".join(str(key) for key in list(row)[:8]) or "nothing"
            return f"There is no “{self.plan.prompt}”; the line has: {listed}."
        if looks_like_turns(value):
            return chat_of(value)
        if missing(value) and not (isinstance(value, str) and self.rows.typed):
            return (
                "The prompt is empty."
                if isinstance(value, str)
                else "The prompt should be text, but it is missing."
            )
        if not isinstance(value, str):
            return f"The prompt should be text, but it is {kind_of(value)}."
        return ChatRow((), value, None)

    def _targets(self, row: Row, asked: ChatRow) -> list[str] | str:
        found: list[str] = []
        for path in self.plan.targets:
            texts = self._answers(value_at(row, path), path)
            if isinstance(texts, str):
                return texts
            found += texts
        if not self.plan.targets and asked.answer is not None:
            found = [asked.answer]
        return list(dict.fromkeys(found))

    def _answers(self, value: Any, path: str) -> list[str] | str:
        if isinstance(value, str) and value.strip() == "null" and not self.rows.typed:
            self.emptied["null"] += 1
            return []
        if missing(value):
            if value is not None:
                word = (
                    ("NaN" if math.isnan(value) else "Infinity")
                    if isinstance(value, float)
                    else value.strip()
                )
                self.emptied[word] += 1
            return []
        if looks_like_turns(value):
            listed = chat_of([{"role": "user", "content": "?"}, *value] if isinstance(value, list) else value)
            return [listed.answer] if isinstance(listed, ChatRow) and listed.answer is not None else []
        if isinstance(value, str):
            hoped = expectations.texts(value) if expectations.is_column(path) else [value]
            self.unread_checks += hoped is None
            return hoped or []
        if isinstance(value, bool):
            return ["true" if value else "false"]
        if isinstance(value, (int, float, Decimal)):
            return [str(value)]
        if isinstance(value, (date, datetime, time)):
            return [value.isoformat()]
        if isinstance(value, Mapping) and "text" in value:
            return self._answers(value["text"], path)
        if isinstance(value, (list, tuple)):
            out: list[str] = []
            for one in value:
                inner = self._answers(one, path)
                if isinstance(inner, str) or isinstance(one, (list, tuple)):
                    return f"The target should be text or a list of texts, but in its list stands {kind_of(one)}."
                out += inner
            return out
        return f"The target should be text, but it is {kind_of(value)}."

    def _fields(self, row: Row, asked: ChatRow, targets: Sequence[str]) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for key, value in row.items():
            if key in self.used or (key == "earlier_turns" and asked.earlier):
                continue
            if key == "targets" and isinstance(value, list) and value == list(targets):
                continue
            name = f"{key}{FROM_FILE}" if key in OWN_FIELDS else str(key)
            fields[name] = plain(value)
        if asked.earlier:
            fields["earlier_turns"] = [{"role": turn.role, "content": turn.content} for turn in asked.earlier]
        if len(targets) > 1:
            fields["targets"] = list(targets)
        called = value_at(row, self.plan.called) if self.plan.called else None
        if not missing(called) and isinstance(called, (str, int, float)) and str(called).strip():
            name = str(called).strip()[:200]
            bare = name.isdecimal() and self.plan.called != "called"
            fields["called"] = f"{self.plan.called.replace('_', ' ')} {name}" if bare else name
        if self.template_kept and "template" not in fields:
            fields["template"] = self.plan.template
        lists = (row.get(head) for head in self.firsts)
        self.further += any(isinstance(listed, list) and len(listed) > 1 for listed in lists)
        return fields

    def told(self) -> list[str]:
        """What is to be said of the columns and of the values that were taken for none."""
        notes: list[str] = []
        if self.plan.template.strip():
            notes.append("The prompt was made by a template.")
        elif self.plan.prompt != "prompt":
            notes.append(f"“{self.plan.prompt}” was read as the prompt.")
        if self.plan.targets and self.plan.targets != ("target",):
            each = " and ".join(f"“{name}”" for name in self.plan.targets)
            notes.append(f"{each} {'was' if len(self.plan.targets) == 1 else 'were'} read as the target.")
        for word, count in self.emptied.most_common(3):
            one = count == 1
            notes.append(f"{count:,} {'target reads' if one else 'targets read'} “{word}”: taken as none.")
        if self.unread_checks:
            notes.append(
                f"{self.unread_checks:,} expectations are checks, not texts: kept as columns, not as targets."
            )
        if self.further:
            row = "row holds" if self.further == 1 else "rows hold"
            where = " and ".join(f"“{head}”" for head in sorted(self.firsts))
            notes.append(
                f"{self.further:,} {row} more than one entry in {where}: the first is sent, all are kept."
            )
        return notes
