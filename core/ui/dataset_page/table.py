"""The whole table of a dataset: the file's columns, each model's newest answer, metrics, stars.

Built once for every state of the store and shared by all sessions that look at the same rows; nobody may
change it in place. Knows no widget.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.datasets.cells import text_paths
from core.runs import column_spec
from core.store import answerer_key, model_key
from core.ui.shell.model_list import catalog

if TYPE_CHECKING:
    from core.store.workspace import Workspace

HIDDEN = ("id", "parent_id", "edit", "tags", "called", "earlier_turns", "template")
"""Columns that are not shown until they are asked for (nor log-probabilities)."""
LOGPROB = "log-probability"
EARLIER = ", earlier "
"""Within the name of a column of a model that has changed since under the same name."""
MOST_LOOKED_AT = 2000
"""Rows in which the columns that hold answers are looked for."""
ANSWERERS = "answerers"
"""In the table's `attrs`: the name of each answerer (`answerer_key`), as its columns carry it in brackets."""
VERSION = "version"
"""In the table's `attrs`: changes with what the table holds."""


def load(workspace: Workspace, dataset_id: str) -> pd.DataFrame:
    """One row an example, in the dataset's order; `starred` is first."""
    stamp, starred = workspace.stamp(dataset_id), workspace.starred()
    current = frozenset(model_key(spec) for spec in catalog().specs())
    made = _load(workspace.id, dataset_id, stamp, current, workspace)
    table = made.assign(starred=made["id"].isin(starred).to_numpy(bool))[["starred", *made.columns]]
    table.attrs[ANSWERERS] = made.attrs[ANSWERERS]
    table.attrs[VERSION] = f"{workspace.id} {dataset_id} {stamp} {hash(starred)}"
    return table


@st.cache_resource(max_entries=4, show_spinner="Reading the dataset")
def _load(
    workspace_id: str,
    dataset_id: str,
    stamp: tuple[float, ...],
    current: frozenset[str],
    _workspace: Workspace,
) -> pd.DataFrame:
    table = _workspace.frame(dataset_id).drop(columns="starred")
    answers = _workspace.responses(dataset_id)
    labels = _labels(answers, current)
    for key, label in labels.items():
        mine = answers[answers["answerer"] == key].set_index("id")
        table[f"response ({label})"] = table["id"].map(mine["text"]).astype("str")
        table[f"{LOGPROB} ({label})"] = table["id"].map(mine["logprob_nats"]).astype("float64")
    metrics = _workspace.metrics(dataset_id)
    if not set(metrics["model_key"]) <= {*labels, ""}:
        paths = text_paths(_workspace.examples(dataset_id, limit=MOST_LOOKED_AT))
        labels |= {answerer_key(model_key(column_spec(path)), "plain"): f"column {path}" for path in paths}
    table = _with_metrics(table, metrics, answers, labels)
    table.attrs[ANSWERERS] = labels
    return table


def _labels(answers: pd.DataFrame, current: frozenset[str]) -> dict[str, str]:
    """A name for each answerer: the model's, with "chat" where it was sent one.

    Models that changed since, under one name, are told apart.
    """
    each = answers.drop_duplicates("answerer")
    chat = each["send_as"].eq("chat")
    names = dict(zip(each["answerer"], each["model"] + chat.map({True: ", chat", False: ""})))
    common = pd.Series(list(names.values()), dtype="str").value_counts()
    plain = {key for key, name in names.items() if common[name] == 1}
    plain |= set(each["answerer"][each["model_key"].isin(current)])
    return {key: name if key in plain else f"{name}{EARLIER}{key[:4]}" for key, name in names.items()}


def _with_metrics(
    table: pd.DataFrame, metrics: pd.DataFrame, answers: pd.DataFrame, labels: dict[str, str]
) -> pd.DataFrame:
    """A column for each metric of each model; a value of an answer that has been replaced is left out."""
    newest = answers[["id", "answerer", "key"]].rename(columns={"answerer": "model_key"})
    joined = metrics.merge(newest, on=["id", "model_key"], how="left") if len(metrics) else metrics
    for pair, group in joined.groupby(["name", "model_key"], sort=True):
        name, key = map(str, pair if isinstance(pair, tuple) else ())
        of_now = group[(group["generation_key"] == "") | (group["generation_key"] == group["key"])]
        label = f"{name} ({labels.get(key, key[:4])})" if key else name
        table[label] = table["id"].map(of_now.set_index("id")["value"]).astype("float64")
    return table


def shown_first(table: pd.DataFrame) -> list[str]:
    """The columns that the page shows until the person chooses others."""
    return [
        str(name)
        for name in table.columns
        if name not in HIDDEN
        and not str(name).startswith(LOGPROB)
        and EARLIER not in str(name)
        and not (name in ("target", "source") and table[name].fillna("").eq("").all())
    ]
