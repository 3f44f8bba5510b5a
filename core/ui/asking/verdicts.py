"""What answers are checked for, on every page: the conditions of a dataset, the verdict on an answer, groups by it."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.checks import AnswerVerdict, Condition, from_json, to_json, verdict
from core.checks.measures import VERDICT, outcome_of, rulings
from core.errors import AppError
from core.jobs import Job
from core.metrics import MetricRow
from core.records import Example, Generation, digest
from core.runs import Report, ScoreAnswers, judging, metric_rows, runner
from core.runs.judging import Judge
from core.store.workspace import Workspace
from core.ui.asking import answerers, sending
from core.ui.asking.answerers import System, desk
from core.ui.shell import library, problem
from core.ui.shell.model_list import catalog
from core.ui.shell.services import owner, service

MARKS = {"right": ":green[✓ right]", "wrong": ":red[✗ wrong]", "unsure": ":gray[? unsure]"}


def conditions(here: Workspace, dataset_id: str) -> tuple[Condition, ...]:
    """What the dataset's answers are checked for; checks that are not for strangers are left out when hosted."""
    return from_json(
        list(here.marks.checks(dataset_id).conditions), hosted=service().settings.mode == "hosted"
    )


def as_text(asked: Sequence[Condition]) -> str:
    """Conditions as the JSON that a run over rows takes; "" without any."""
    return json.dumps(to_json(asked), sort_keys=True) if asked else ""


def detail(asked: Sequence[Condition]) -> str:
    """What a kept value of these conditions carries, so that values of others are told from them."""
    return digest(as_text(asked))[:16]


def judges(asked: Sequence[Condition]) -> dict[str, Judge]:
    """The models that are asked to judge and are still here, by name; as a chat where they can."""
    names = {str(one.options["model"]) for one in asked if one.member.asks_model}
    found = {spec.name: service().resolve(spec) for spec in catalog().specs() if spec.name in names}
    return {name: (spec, "plain" if sending.why_no_chat(spec) else "chat") for name, spec in found.items()}


def rows_of(
    system: System, examples: Sequence[Example], dataset_id: str, asked: Sequence[Condition]
) -> tuple[list[MetricRow], dict[str, list[Example]]]:
    """What is known of a system's answers with what judges said, and what no judge was asked yet (by condition)."""
    known = metric_rows(examples, dataset_id, desk(system), system.send_as)
    return judging.with_judgements(known, asked, judges(asked), service().store)


def scoring(
    dataset_id: str,
    system: System,
    asked: Sequence[Condition],
    names: tuple[str, ...] = (),
    language: str = "auto",
) -> ScoreAnswers:
    """The run over rows that computes the conditions (and the metrics called `names`) of a system's answers."""
    return ScoreAnswers(
        dataset_id,
        names,
        language,
        system.send_as,
        conditions=as_text(asked),
        judges=judging.judges_to_json(judges(asked)),
    )


def ask_judge(key: str, questions: Sequence[Example], dataset_id: str) -> Job[Report]:
    """The job that asks the judge of the condition `key`. Raises: AppError where condition or judge are gone."""
    asked = conditions(library.workspace(), dataset_id)
    condition = next((one for one in asked if one.key == key), None)
    held = judges(asked).get(str(condition.options["model"])) if condition is not None else None
    if held is None:
        raise AppError("The judge is not among the models any more.", hint="Set up the check again.")
    spec, send_as = held
    task = judging.task(send_as, service().settings.batch_size)
    place = library.workspace()
    return runner(service()).run(task, questions, spec, workspace=place, owner=f"{owner()} judge {key}")


def of_answer(example: Example, generation: Generation, dataset_id: str) -> AnswerVerdict | None:
    """The verdict on one answer, or None where nothing is checked or the answer was stopped before its end."""
    if generation.stop_reason == "stopped":
        return None
    (found,) = of_texts([(example, generation.text)], conditions(library.workspace(), dataset_id))
    return found


def of_texts(
    answers: Sequence[tuple[Example, str]], asked: Sequence[Condition]
) -> list[AnswerVerdict | None]:
    """The verdict on each answer to its example; None for all where nothing is checked."""
    if not asked:
        return [None] * len(answers)
    rows = [
        MetricRow(str(place), text, example.targets, prompt=example.prompt)
        for place, (example, text) in enumerate(answers)
    ]
    rows, _left = judging.with_judgements(rows, asked, judges(asked), service().store)
    return [verdict(rulings(row, asked)) for row in rows]


def draw_verdict(example_id: str, generation: Generation) -> None:
    """Draw the verdict on an answer and why, in the container that is open; nothing where nothing is checked."""
    here = library.workspace()
    try:
        example, dataset_id = here.examples.get(example_id), here.examples.dataset_of(example_id)
    except AppError:  # removed since it was asked: there is nothing to check it by
        return
    found = of_answer(example, generation, dataset_id)
    if found is not None:
        st.markdown(f"{MARKS[found.outcome]} {problem.plain(found.why)}")


def groups_by_verdict(here: Workspace, dataset_id: str) -> dict[str, list[str]]:
    """Ids of the rows by verdict, such as "wrong: demo": slices that nobody has to make."""
    asked = conditions(here, dataset_id)
    if not asked:
        return {}
    labels = answerers.labels(here, dataset_id)
    kept = here.results.metrics(dataset_id)
    kept = kept[(kept["name"] == VERDICT) & (kept["detail"] == detail(asked))]
    found: dict[str, list[str]] = {}
    for name, answerer, value in zip(kept["id"], kept["model_key"], kept["value"]):
        if answerer in labels:
            outcome = outcome_of(None if pd.isna(value) else float(value))
            found.setdefault(f"{outcome}: {labels[answerer]}", []).append(str(name))
    return {name: found[name] for name in sorted(found)}
