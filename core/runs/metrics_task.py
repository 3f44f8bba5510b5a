"""Metrics of a model's answers over a dataset: each row's statistics, kept so that none is computed twice.

The values go to the store's metrics table (columns of the dataset table); the statistics, from which
aggregates, slices and intervals are made, stay with the list of work (`measured`).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from core.checks import from_json, measures
from core.datasets.cells import as_text, cell
from core.errors import AppError
from core.metrics import Measured, Metric, MetricRow, metric, resolve_language
from core.metrics.evaluate import references_of, why_left_out
from core.records import Example, ModelSpec, SendAs, digest
from core.runs.drive import Desk, Item, Result, key_of
from core.runs.generation_tasks import Generate, target_key
from core.runs.judging import judges_from_json, with_judgements
from core.store.keys import answerer_key, model_key
from core.store.sql import chunks
from core.store.tables import generations
from core.store.work import WorkList

if TYPE_CHECKING:
    from core.models.language_model import LanguageModel


FILE = "file"
"""The backend of a "model" whose answers stand in a column of the file."""


def column_spec(path: str) -> ModelSpec:
    """Who answers in a column of the file (`core.datasets.cells`): no model, but it has answers and metrics."""
    return ModelSpec(path, path, backend=FILE, dtype="", device="")


def metric_rows(
    rows: Sequence[Example], dataset_id: str, desk: Desk, send_as: SendAs = "plain"
) -> list[MetricRow]:
    """What is known of each example as it is sent: the newest answer of the desk's model and the target's score,
    or, for a `column_spec`, the answer in that column.
    """
    if desk.spec.backend == FILE:
        said_there = (as_text(cell(row, desk.spec.path)) for row in rows)
        return [
            MetricRow(row.id, text, row.targets, "ok" if text is not None else "missing", prompt=row.prompt)
            for row, text in zip(rows, said_there)
        ]
    answers = desk.workspace.results.responses(dataset_id)
    own = answers[answers["answerer"] == answerer_key(model_key(desk.spec), send_as)]
    said = {row.id: (row.text, row.stop_reason, row.key) for row in own.itertuples()}
    scores, failed = target_scores(rows, desk, send_as), failed_rows(desk, send_as)
    found = []
    for row in rows:
        response, reason, key = said.get(row.id, (None, "", ""))
        nats, tokens = scores.get(row.id, (None, 0))
        state = "stopped" if reason == "stopped" else "ok"
        if response is None:
            state = "error" if row.id in failed else "missing"
        found.append(MetricRow(row.id, response, row.targets, state, nats, tokens, key, row.prompt))  # type: ignore[arg-type]
    return found


def failed_rows(desk: Desk, send_as: SendAs = "plain") -> set[str]:
    """Examples that the desk's model was run on, as they are sent, and could not answer."""
    work = WorkList(desk.workspace)
    found: set[str] = set()
    for listed in work.all(Generate().kind):
        model, way = listed.payload.get("model"), listed.payload.get("send_as", "plain")
        if not (listed.failed and model) or way != send_as:
            continue
        if model_key(ModelSpec(**model)) == model_key(desk.spec):
            found |= work.results(listed.id, failed=True).keys()
    return found


def target_scores(
    rows: Sequence[Example], desk: Desk, send_as: SendAs = "plain"
) -> dict[str, tuple[float, int]]:
    """Log-probability (nats) and tokens of every target that was scored, by example.

    A score belongs to the text: every row that asks the same has it.
    """
    keys: dict[str, list[str]] = {}
    for row in rows:
        if (row.target or "").strip():
            keys.setdefault(target_key(row, desk, send_as), []).append(row.id)
    columns = (generations.c.key, generations.c.logprob_nats, generations.c.response_tokens)
    found: dict[str, tuple[float, int]] = {}
    with desk.store.engine.connect() as connection:
        for part in chunks(list(keys)):
            for key, nats, tokens in connection.execute(select(*columns).where(generations.c.key.in_(part))):
                if nats is not None:
                    found |= dict.fromkeys(keys[key], (float(nats), int(tokens)))
    return found


@dataclass(frozen=True)
class ScoreAnswers:
    """Statistics of some metrics for every row that at least one of them can score."""

    dataset_id: str
    names: tuple[str, ...]
    language: str = "auto"
    send_as: SendAs = "plain"
    batch: int = 200
    kind: str = "metrics"
    label: str = "Compute the metrics"
    needs_model: bool = False
    conditions: str = ""
    """The checks of the dataset as JSON (`core.checks.to_json`); their metrics come with the named ones."""
    judges: str = ""
    """Which model is which of the conditions' judges (`core.runs.judging.judges_to_json`)."""

    @property
    def members(self) -> tuple[Metric, ...]:
        """The metrics that are computed."""
        own = measures.members(from_json(json.loads(self.conditions))) if self.conditions else ()
        return (*map(metric, self.names), *own)

    def items(self, rows: Sequence[Example], desk: Desk) -> list[Item]:
        known = metric_rows(rows, self.dataset_id, desk, self.send_as)
        if self.judges:
            asked = from_json(json.loads(self.conditions))
            known, _left = with_judgements(known, asked, judges_from_json(self.judges), desk.store)
        return self.items_of(known)

    def items_of(self, rows: Sequence[MetricRow]) -> list[Item]:
        """The rows that at least one of the metrics can score, each with the language of all."""
        language = resolve_language(rows, self.language)
        return [
            asdict(row) | {"language": language}
            for row in rows
            if any(not why_left_out(row, member) for member in self.members)
        ]

    def known(self, items: Sequence[Item], desk: Desk) -> set[str]:
        return set()

    def compute(
        self, items: Sequence[Item], model: LanguageModel | None, stop: threading.Event | None
    ) -> list[Result]:
        rows = [MetricRow(**{k: v for k, v in item.items() if k != "language"}) for item in items]
        found: list[Result] = [{} for _ in rows]
        for member in self.members:
            kept = [i for i, row in enumerate(rows) if not why_left_out(row, member)]
            if kept:
                stats = member.statistics([rows[i] for i in kept], items[0]["language"])
                for i, row_stats in zip(kept, stats):
                    found[i][member.name] = row_stats.tolist() if np.isfinite(row_stats).all() else None
        return found

    def keep(self, results: Mapping[str, Result], items: Mapping[str, Item], desk: Desk) -> dict[str, Any]:
        answerer = answerer_key(model_key(desk.spec), self.send_as)
        for member in self.members:
            scored = {row: result[member.name] for row, result in results.items() if member.name in result}
            if not scored:
                continue
            known = {row: stats for row, stats in scored.items() if stats is not None}
            values = dict(zip(known, member.score(np.array(list(known.values()))))) if known else {}
            finite = {
                row: float(values[row]) if np.isfinite(values.get(row, np.nan)) else None for row in scored
            }
            detail = member.signature(items[next(iter(scored))]["language"])
            if member.needs == "answer":
                detail = digest(self.conditions)[:16]
            of = {row: items[row]["answer_id"] for row in scored if member.needs != "logprob"}
            desk.workspace.results.save_metrics(
                answerer, member.name, finite, generation_keys=of, detail=detail
            )
        return dict(results)


def measured(task: ScoreAnswers, rows: Sequence[MetricRow], desk: Desk) -> dict[str, Measured] | None:
    """The metrics of `rows` (`metric_rows`) by name, from the finished run of `task`; None without one.

    Raises: AppError where there are no rows.
    """
    if not rows:
        raise AppError(
            "There are no examples to score: the selection is empty.", hint="Choose some rows first."
        )
    items = task.items_of(rows)
    key = key_of(task, items, desk.spec)
    work = WorkList(desk.workspace)
    listed = next((w for w in work.all(task.kind) if w.key == key and w.state == "done"), None)
    if listed is None and items:
        return None
    results = work.results(listed.id) if listed is not None else {}
    language = resolve_language(rows, task.language)
    return {member.name: _measured(member, language, rows, results) for member in task.members}


def _measured(
    member: Metric, language: str, rows: Sequence[MetricRow], results: Mapping[str, Any]
) -> Measured:
    reasons = [why_left_out(row, member) for row in rows]
    known = {row: result[member.name] for row, result in results.items() if member.name in result}
    width = next((len(stats) for stats in known.values() if stats is not None), 2)
    stats, kept = np.zeros((len(rows), width)), np.zeros(len(rows), dtype=bool)
    for i, row in enumerate(rows):
        if reasons[i] or row.id not in known:
            continue
        if known[row.id] is None:
            reasons[i] = "unsure"
        else:
            stats[i], kept[i] = known[row.id], True
    return Measured(member, language, stats, kept, tuple(reasons), references_of(rows))
