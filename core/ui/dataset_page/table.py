"""The whole table of a dataset: the file's columns, each model's newest answer, metrics, stars.

Built once for every state of the store and shared by all sessions that look at the same rows; nobody may
change it in place. Knows no widget.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.checks import from_json
from core.checks.measures import VERDICT, outcome_of
from core.datasets.cells import text_paths
from core.datasets.examples import FROM_FILE
from core.runs import column_spec
from core.store import answerer_key, model_key
from core.thinking import split
from core.ui.asking import verdicts
from core.ui.asking.answerers import EARLIER, labels_of
from core.ui.shell.model_list import catalog

if TYPE_CHECKING:
    from core.store.workspace import Workspace

HIDDEN = ("id", "parent_id", "edit", "tags", "called", "earlier_turns", "template")
"""Columns that are not shown until they are asked for (nor log-probabilities and what models thought)."""
LOGPROB, THINKING = "log-probability", "thinking"
MOST_LOOKED_AT = 2000
"""Rows in which the columns that hold answers are looked for."""
ANSWERERS = "answerers"
"""In the table's `attrs`: the name of each answerer (`answerer_key`), as its columns carry it in brackets."""
VERSION = "version"
"""In the table's `attrs`: changes with what the table holds."""


def load(workspace: Workspace, dataset_id: str) -> pd.DataFrame:
    """One row an example, in the dataset's order; `starred` is first."""
    stamp, starred = workspace.results.stamp(dataset_id), workspace.marks.starred()
    current = frozenset(model_key(spec) for spec in catalog().specs())
    asked = verdicts.as_text(verdicts.conditions(workspace, dataset_id))
    made = _load(workspace.id, dataset_id, stamp, current, asked, workspace)
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
    conditions: str,
    _workspace: Workspace,
) -> pd.DataFrame:
    table = _workspace.results.frame(dataset_id).drop(columns="starred")
    answers = _workspace.results.responses(dataset_id)
    labels = labels_of(answers, current)
    own_columns = table[["id"]].copy()
    for key, label in labels.items():
        mine = answers[answers["answerer"] == key].set_index("id")
        said = {name: split(text) for name, text in mine["text"].items()}
        texts = {name: found.answer for name, found in said.items()}
        own_columns[f"response ({label})"] = table["id"].map(texts).astype("str")
        if thoughts := {name: found.thinking for name, found in said.items() if found.thinking}:
            own_columns[f"{THINKING} ({label})"] = table["id"].map(thoughts).astype("str")
        own_columns[f"{LOGPROB} ({label})"] = table["id"].map(mine["logprob_nats"]).astype("float64")
    metrics = _workspace.results.metrics(dataset_id)
    if not set(metrics["model_key"]) <= {*labels, ""}:
        paths = text_paths(_workspace.examples.of(dataset_id, limit=MOST_LOOKED_AT))
        labels |= {answerer_key(model_key(column_spec(path)), "plain"): f"column {path}" for path in paths}
    asked = from_json(json.loads(conditions)) if conditions else ()
    own = {VERDICT: VERDICT} | {f"check {one.key}": one.in_words for one in asked}
    checked = metrics["name"].isin(own) & (metrics["detail"] == verdicts.detail(asked))
    of_checks = metrics["name"].str.startswith((VERDICT, "check "))
    own_columns = _with_metrics(own_columns, metrics[~of_checks], answers, labels)
    own_columns = _with_verdicts(own_columns, metrics[checked], answers, labels, own).drop(columns="id")
    table = pd.concat([file_apart(table, own_columns.columns), own_columns], axis=1)
    table.attrs[ANSWERERS] = labels
    return table


def file_apart(table: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """`table` with those of its columns that are called like one of `names` marked as the file's own."""
    taken, new = {*map(str, table.columns), *names}, {}
    for name in (str(one) for one in names if one in table):
        own = name
        while own in taken:
            own += FROM_FILE
        taken.add(own)
        new[name] = own
    return table.rename(columns=new) if new else table


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


def _with_verdicts(
    table: pd.DataFrame,
    kept: pd.DataFrame,
    answers: pd.DataFrame,
    labels: dict[str, str],
    own: dict[str, str],
) -> pd.DataFrame:
    """A column "right", "wrong" or "unsure" for each check of each answerer, behind the answer; the verdict first."""
    newest = answers[["id", "answerer", "key"]].rename(columns={"answerer": "model_key"})
    joined = kept.merge(newest, on=["id", "model_key"], how="left")
    joined = joined[(joined["generation_key"] == "") | (joined["generation_key"] == joined["key"])]
    for answerer, label in labels.items():
        mine = joined[joined["model_key"] == answerer]
        for name, words in own.items():
            one = mine[mine["name"] == name].set_index("id")["value"]
            if not len(one):
                continue
            said = one.map(lambda value: outcome_of(None if pd.isna(value) else float(value)))
            cells = table["id"].map(said).astype("str")
            before = f"response ({label})"
            place = (
                list(table.columns).index(before) + 1
                if name == VERDICT and before in table
                else len(table.columns)
            )
            table.insert(place, f"{words} ({label})", cells)
    return table


def shown_first(table: pd.DataFrame) -> list[str]:
    """The columns that the page shows until the person chooses others."""
    return [
        str(name)
        for name in table.columns
        if name not in HIDDEN
        and not str(name).startswith((LOGPROB, f"{THINKING} ("))
        and EARLIER not in str(name)
        and not (name in ("target", "source") and table[name].fillna("").eq("").all())
    ]
