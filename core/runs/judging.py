"""Asking a model to judge answers: questions as examples of their own, replies kept like any other answer.

A reply belongs to the text that was judged, so the same answer under the same rubric is never judged twice by one
judge. Knows no page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from core.checks import Condition, judge
from core.checks.measures import evidence
from core.metrics import MetricRow
from core.records import Example, GenerationParams, ModelSpec, SendAs, digest
from core.runs.generation_tasks import Generate
from core.store.keys import generation_key

if TYPE_CHECKING:
    from core.store.store import Store

PARAMS = GenerationParams(max_new_tokens=256)
Judge = tuple[ModelSpec, SendAs]
"""Who is asked, and whether as a chat."""


def judges_to_json(judges: Mapping[str, Judge]) -> str:
    """Judges by name as JSON, for a run over rows; "" for none."""
    plain = {name: [asdict(spec), send_as] for name, (spec, send_as) in judges.items()}
    return json.dumps(plain, sort_keys=True) if plain else ""


def judges_from_json(text: str) -> dict[str, Judge]:
    return {name: (ModelSpec(**spec), send_as) for name, (spec, send_as) in json.loads(text).items()}


def task(send_as: SendAs, batch: int) -> Generate:
    """The run that asks a judge; its rows are `questions`."""
    return Generate(PARAMS, send_as, batch, label="Ask the judge")


def questions(rows: Sequence[MetricRow], condition: Condition) -> dict[str, Example]:
    """What the judge of `condition` is asked about each row that has an answer, by the row's id."""
    asked = {}
    for row in rows:
        if row.response is not None and row.state == "ok":
            prompt = judge.question(evidence(row, condition), condition.options)
            asked[row.id] = Example(digest("judge", row.id, condition.key)[:40], prompt)
    return asked


def with_judgements(
    rows: Sequence[MetricRow], conditions: Sequence[Condition], judges: Mapping[str, Judge], store: Store
) -> tuple[list[MetricRow], dict[str, list[Example]]]:
    """`rows` with what their judges have said, and for each condition the questions that nobody has asked yet."""
    found = {row.id: dict(row.judgements) for row in rows}
    open_questions: dict[str, list[Example]] = {}
    for condition in (one for one in conditions if one.member.asks_model):
        if (held := judges.get(str(condition.options["model"]))) is None:
            continue
        spec, send_as = held
        asked = questions(rows, condition)
        keys = {row: generation_key(one.sent(send_as), spec, PARAMS) for row, one in asked.items()}
        known = store.texts(keys.values())
        for row, key in keys.items():
            if key in known:
                found[row][condition.key] = known[key]
            else:
                open_questions.setdefault(condition.key, []).append(asked[row])
    return [replace(row, judgements=found[row.id]) if found[row.id] else row for row in rows], open_questions
