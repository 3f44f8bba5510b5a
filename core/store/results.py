"""A dataset as a table, and what was computed for its rows: answers by prompt digest, metrics by example.

Frames are plain pandas with text columns, ready to filter; nothing here computes a metric.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import pandas as pd
from sqlalchemy import func, select

from core.datasets.examples import FROM_FILE
from core.records import Example
from core.store.engine import writing
from core.store.keys import answerer_key, sent_key
from core.store.marks import Marks
from core.store.scope import Scope
from core.store.sql import upsert
from core.store.tables import datasets, examples, generations, metrics

BASE_COLUMNS = ("id", "prompt", "target", "source", "parent_id", "edit", "tags")


class ResultStore:
    """The tables of one workspace's datasets."""

    def __init__(self, scope: Scope, marks: Marks) -> None:
        self._scope, self._marks = scope, marks

    # --- the table of a dataset

    def frame(self, dataset_id: str) -> pd.DataFrame:
        """The dataset as a table, one row an example in order.

        Columns: `BASE_COLUMNS`, `starred`, then the file's further fields (`<name> (from the file)` where a name
        is taken).
        """
        names = [examples.c[name] for name in (*BASE_COLUMNS, "fields")]
        here = (examples.c.dataset_id == dataset_id) & self._scope.seen & ~examples.c.retired
        with self._scope.engine.connect() as connection:
            rows = connection.execute(select(*names).where(here).order_by(examples.c.seq)).all()
        columns = list(zip(*rows)) or [()] * len(names)
        table = pd.DataFrame({name: pd.array(column, "str") for name, column in zip(BASE_COLUMNS, columns)})
        lists = {text: ", ".join(json.loads(text)) for text in set(columns[-2])}
        table["tags"] = table["tags"].map(lists).astype("str")
        table["starred"] = table["id"].isin(self._marks.starred()).to_numpy(bool)
        if any(text != "{}" for text in columns[-1]):
            further = pd.DataFrame(json.loads(f"[{','.join(columns[-1])}]"), dtype=object).apply(_typed)
            further.columns = [
                f"{name}{FROM_FILE}" if name in table else str(name) for name in further.columns
            ]
            table = pd.concat([table, further], axis=1)
        return table

    def stamp(self, dataset_id: str) -> tuple[float, ...]:
        """Changes whenever the dataset's table, its answers or metrics may have changed (not its stars)."""
        queries = (
            select(datasets.c.revision).where(datasets.c.id == dataset_id),
            select(func.max(generations.c.created_at)),
            select(func.max(metrics.c.created_at)).where(metrics.c.workspace_id == self._scope.id),
        )
        with self._scope.engine.connect() as connection:
            return tuple(connection.execute(query).scalar() or 0 for query in queries)

    def responses(self, dataset_id: str) -> pd.DataFrame:
        """What models wrote for the dataset's prompts: the newest answer of each model to plain text, and to
        the example's chat.

        Columns: `id` (example), `model` (its name), `model_key`, `send_as`, `answerer` (`answerer_key` of the
        two), `key` (of the generation), `text`, `logprob_nats`, `response_tokens`, `stop_reason`, `seconds`.
        """
        here = (examples.c.dataset_id == dataset_id) & self._scope.seen & ~examples.c.retired
        facts = (
            "model_key",
            "sent",
            "key",
            "text",
            "logprob_nats",
            "response_tokens",
            "stop_reason",
            "seconds",
        )
        columns = [generations.c[name] for name in facts]
        query = (
            select(examples.c.id, generations.c.model_name.label("model"), *columns)
            .join(generations, generations.c.prompt_key == examples.c.prompt_key)
            .where(here, generations.c.kind == "generated")
            .order_by(examples.c.seq, generations.c.created_at)
        )
        chats = select(examples.c.id, examples.c.fields).where(
            here, examples.c.fields.contains("earlier_turns", autoescape=True)
        )
        with self._scope.engine.connect() as connection:
            rows = connection.execute(query).all()
            kept = {name: _chat_of(fields) for name, fields in connection.execute(chats)} if rows else {}
        table = pd.DataFrame(rows, columns=["id", "model", *facts])
        # The same prompt after other turns is another question.
        own = [kept.get(name, "chat") for name in table["id"]]
        table = table[(table["sent"] == "plain") | (table["sent"] == own)]
        send_as = table["sent"].str.partition(" ")[0] if len(table) else table["sent"]
        table = table.assign(sent=send_as).rename(columns={"sent": "send_as"})
        table = table.drop_duplicates(["id", "model_key", "send_as"], keep="last").reset_index(drop=True)
        pairs = list(zip(table["model_key"], table["send_as"]))
        known = {pair: answerer_key(*pair) for pair in set(pairs)}
        return table.assign(answerer=pd.Series([known[pair] for pair in pairs], dtype="str"))

    # --- metrics

    def save_metrics(
        self,
        model: str,
        name: str,
        values: Mapping[str, float | None],
        *,
        generation_keys: Mapping[str, str] | None = None,
        detail: str = "",
    ) -> None:
        """Keeps one value of the metric `name` an example; `model` is an `answerer_key`, or "" for none."""
        keys, now = generation_keys or {}, time.time()
        rows = [
            {
                "workspace_id": self._scope.id,
                "example_id": example_id,
                "model_key": model,
                "name": name,
                "value": value,
                "generation_key": keys.get(example_id, ""),
                "detail": detail,
                "created_at": now,
            }
            for example_id, value in values.items()
        ]
        with writing(self._scope.engine) as connection:
            upsert(connection, metrics, rows, ("workspace_id", "example_id", "model_key", "name"))

    def metrics(self, dataset_id: str) -> pd.DataFrame:
        """Columns `id`, `model_key`, `name`, `value`, `generation_key`, `detail`."""
        here = (
            (examples.c.dataset_id == dataset_id)
            & self._scope.seen
            & (metrics.c.workspace_id == self._scope.id)
        )
        facts = ("model_key", "name", "value", "generation_key", "detail")
        query = select(examples.c.id, *[metrics.c[name] for name in facts])
        query = query.join(metrics, metrics.c.example_id == examples.c.id).where(here)
        with self._scope.engine.connect() as connection:
            rows = connection.execute(query.order_by(examples.c.seq, metrics.c.name)).all()
        return pd.DataFrame(rows, columns=["id", *facts])


def _chat_of(fields: str) -> str:
    """How the example with these fields is sent as a chat."""
    return sent_key(Example("e", "", fields=json.loads(fields)).earlier_turns)


_TYPES: dict[str, Any] = {"string": "str", "integer": "Int64", "floating": "float64", "boolean": "boolean"}


def _typed(column: pd.Series) -> pd.Series:
    """A file's column by what its cells are; whole numbers stay whole where others are missing."""
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in ("integer", "boolean") and column.notna().all():
        return column.astype("int64" if kind == "integer" else "bool") if _fits(column) else column
    wanted = _TYPES.get("floating" if kind == "mixed-integer-float" else kind)
    return column.astype(wanted) if wanted and _fits(column) else column


def _fits(column: pd.Series) -> bool:
    """Whether no whole number is past 64 bits."""
    return not any(isinstance(cell, int) and abs(cell) >= 2**63 for cell in column)
