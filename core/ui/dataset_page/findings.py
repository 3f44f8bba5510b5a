"""Why each answer has its verdict: each check's reason, a judge's words, and what a metric took out of the texts.

Shown for the row in hand, and written into exports beside the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.checks import Condition
from core.checks.measures import rulings
from core.datasets.cells import text_paths
from core.metrics import METRICS, MetricRow
from core.records import Example
from core.runs import column_spec
from core.store import answerer_key, model_key
from core.ui.asking import answerers, verdicts
from core.ui.asking.answerers import System, known_systems
from core.ui.dataset_page.table import file_apart
from core.ui.shell import problem

if TYPE_CHECKING:
    from core.store.dataset_list import Dataset
    from core.store.workspace import Workspace

NOTHING = "–"
"""What a metric took where there was nothing to take."""


def systems(workspace: Workspace, dataset: Dataset) -> list[System]:
    """Whose answers are checked: every model that answered, and the columns of the file that were chosen."""
    columns = workspace.marks.checks(dataset.id).answer_columns
    return [*known_systems(workspace, dataset.id), *(System(column_spec(path)) for path in columns)]


def told(row: MetricRow, asked: Sequence[Condition]) -> dict[str, str]:
    """What is to be said of one answer, by what says it: "Contains “x”" -> "right: …", "Same number took" -> …."""
    found = {}
    for condition, ruling in zip(asked, rulings(row, asked)):
        found[f"why: {condition.in_words}"] = f"{ruling.outcome}: {ruling.why}"
        if condition.key in row.judgements:
            found[f"words of the judge: {condition.in_words}"] = row.judgements[condition.key]
    for metric in (one for one in METRICS if one.took is not None):
        assert metric.took is not None
        of_targets = [metric.took(target) for target in row.targets]
        if any(one != NOTHING for one in of_targets):
            took = f"{metric.took(row.answer)}, of the target {' or '.join(of_targets)}"
            found[f"{metric.label.lower()} took"] = took
    return found


def draw_findings(workspace: Workspace, dataset: Dataset, example: Example) -> None:
    """For the row in hand, what is to be said of each answer."""
    asked = verdicts.conditions(workspace, dataset.id)
    for system in _all_systems(workspace, dataset, [example]):
        (row,), _unjudged = verdicts.rows_of(system, [example], dataset.id, asked)
        said = told(row, asked) if row.response is not None and row.state == "ok" else {}
        if said:
            st.markdown(f"**{problem.plain(system.label)}**")
            for name, words in said.items():
                outcome, _, why = words.partition(": ")
                if name.startswith("why: ") and outcome in verdicts.MARKS:
                    check = problem.plain(name.removeprefix("why: "))
                    st.markdown(f"{verdicts.MARKS[outcome]} {check}: {problem.plain(why)}")
                else:
                    st.markdown(problem.plain(f"{name[:1].upper()}{name[1:]}: {words}"))


def _all_systems(workspace: Workspace, dataset: Dataset, examples: Sequence[Example]) -> list[System]:
    """Those that are checked, and answers of the file that metrics were computed of."""
    found = systems(workspace, dataset)
    labels = {one.label for one in found}
    kept = set(workspace.results.metrics(dataset.id)["model_key"])
    if not kept:
        return found
    for path in text_paths(examples):
        other = System(column_spec(path))
        if other.label not in labels and answerer_key(model_key(other.spec), "plain") in kept:
            found.append(other)
    return found


def with_findings(table: pd.DataFrame, workspace: Workspace, dataset: Dataset) -> pd.DataFrame:
    """`table` with what is to be said of each answer of its rows, a column for each thing and system."""
    asked = verdicts.conditions(workspace, dataset.id)
    wanted = set(table["id"])
    examples = [one for one in workspace.examples.of(dataset.id) if one.id in wanted]
    labels = answerers.labels(workspace, dataset.id)
    columns: dict[str, dict[str, str]] = {}
    for system in _all_systems(workspace, dataset, examples):
        rows, _unjudged = verdicts.rows_of(system, examples, dataset.id, asked)
        label = labels.get(answerer_key(model_key(system.spec), system.send_as), system.label)
        for row in rows:
            if row.response is not None and row.state == "ok":
                for name, words in told(row, asked).items():
                    columns.setdefault(f"{name} ({label})", {})[row.id] = words
    made = {name: table["id"].map(cells).astype("str") for name, cells in columns.items()}
    return file_apart(table, made).assign(**made)
