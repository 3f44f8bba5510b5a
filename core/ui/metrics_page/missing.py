"""What stands between the rows and their figures: answers not asked for yet, targets not scored, a long
computation.

A whole dataset is never run unasked: each is a button that says how much it starts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from core.checks import measures
from core.errors import AppError
from core.metrics import METRICS
from core.models import backend
from core.records import ModelSpec
from core.ui.asking import parameters, verdicts
from core.ui.asking.row_choice import Rows
from core.ui.metrics_page import work
from core.ui.metrics_page.work import Column
from core.ui.shell import job_box, library, problem, rights, state
from core.ui.shell.services import service

Step = tuple[str, str, Callable[[], object]]


def draw_missing_answers(columns: Sequence[Column], rows: Rows, language: str) -> None:
    """One line a system that lacks something; nothing where all is there."""
    checked = verdicts.conditions(library.workspace(), rows.dataset.id)
    if not checked and not any(
        (example.target or "").strip() for column in columns for example in column.examples
    ):
        few = "The row here has no target"
        many = f"None of the {len(rows.examples):,} rows here has a target"
        st.info(
            f"{few if len(rows.examples) == 1 else many}, the answer hoped for, so there is nothing to "
            "compare answers with. Add targets in the Editor, or say on the Dataset page what answers are checked for."
        )
        return
    for column in columns:
        steps = _steps(column, rows, language)
        if column.unscored and not column.system.in_file and (why := why_not_scored(column.system.spec)):
            st.caption(problem.plain(f"{column.system.label}, log-probability of the targets: {why}."))
        if not steps:
            continue
        with st.container(horizontal=True, vertical_alignment="center"):
            for number, (label, words, begin) in enumerate(steps):
                st.caption(words, width="content")
                if rights.button(
                    label,
                    key=state.METRICS_STEP(column.system.label, number).name,
                    type="primary" if not number else "secondary",
                ):
                    try:
                        begin()
                        st.rerun()
                    except AppError as error:
                        problem.show_error(error)


def _steps(column: Column, rows: Rows, language: str) -> list[Step]:
    """(button, sentence, what it starts) of each step that is left, the most useful first."""
    system, total = column.system, len(column.examples)
    name = problem.plain(system.label)
    steps: list[Step] = []
    own = measures.members(verdicts.conditions(library.workspace(), rows.dataset.id))
    if column.figures is None and work.countable(column.rows, (*METRICS, *own)):
        steps.append(
            (
                "Compute the metrics",
                f"{name} has {'answers to' if system.in_file else 'answered'} "
                f"{total - len(column.unanswered):,} of {_count(total, 'row')}.",
                lambda: job_box.hold_job(
                    "metrics", work.start_metrics(system, rows, column.examples, language)
                ),
            )
        )
    for key, questions in column.unjudged.items():
        steps.append(
            (
                f"Ask the judge about {_count(len(questions), 'answer')}",
                f"{name}: the judge has not read them.",
                partial(work.start_judging, key, questions, rows.dataset.id),
            )
        )
    if system.in_file:
        return steps
    if column.unanswered:
        steps.append(
            (
                f"Run the model on {_count(len(column.unanswered), 'row')}",
                f"{name}: no answer yet to {len(column.unanswered):,} of {_count(total, 'row')}. Each answer: "
                f"{problem.plain(parameters.in_words(work.params_for(system, column.unanswered), system.send_as))}.",
                lambda: work.start_answers(system, column.unanswered),
            )
        )
    if column.unscored and not why_not_scored(system.spec):
        steps.append(
            (
                f"Score {_count(len(column.unscored), 'target')}",
                f"{name} has not been asked how likely the targets are.",
                lambda: work.start_scores(system, column.unscored),
            )
        )
    return steps


def why_not_scored(spec: ModelSpec) -> str:
    """Why the model cannot be asked how likely the targets are; "" where it can. Loads and asks nothing."""
    info = service().info(spec)
    if info is None:
        return (
            "whether it tells how likely a target is, is known once it is connected"
            if is_remote(spec)
            else ""
        )
    can = info["capabilities"]
    return (
        ""
        if can.logprobs
        else can.why.get("logprobs", "it tells no probabilities of a given text").rstrip(".")
    )


def is_remote(spec: ModelSpec) -> bool:
    return backend(spec.backend).remote


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
