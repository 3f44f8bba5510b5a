"""One row under every version: the whole answers beside each other, changed words marked, and why each is right."""

from __future__ import annotations

import math

import streamlit as st

from core.compare import word_diff
from core.datasets.cells import text_paths
from core.errors import AppError
from core.prompt_table import PromptTable
from core.prompt_table.narrow import TIE
from core.prompt_table.prompts import prompt_of, row_values
from core.prompt_table.table import OUTCOME_OF
from core.records import Example
from core.ui.asking import opinions, verdicts
from core.ui.shell import diff, library, problem, rights, state

MOST_SIDE_BY_SIDE = 4


def draw_row(made: PromptTable, table_id: str, row: int, base: int) -> None:
    """Draw the answers of the row at `row`, each against the one of column `base`, and its prompts."""
    one = made.rows[row]
    st.subheader(problem.plain(one.called), anchor=False)
    if one.targets:
        st.caption(problem.plain(f"Hoped for: {' | '.join(one.targets)}"))
    order = [base, *(at for at in range(len(made.labels)) if at != base)]
    for start in range(0, len(order), MOST_SIDE_BY_SIDE):
        some = order[start : start + MOST_SIDE_BY_SIDE]
        for place, column in zip(st.columns(len(some)), some):
            with place:
                _cell(made, row, column, base)
    try:
        example = library.workspace().examples.get(one.id)
    except AppError:  # removed since it was asked
        return
    opinions.draw_opinions(one.id, made.labels, table_id)
    texts = {"answer": str(made.answers[row, base, 0]), "prompt": example.prompt}
    opinions.comment_on(one.id, texts, table_id=table_id, column=base)
    _prompts(made, example, base)


def _cell(made: PromptTable, row: int, column: int, base: int) -> None:
    st.markdown(f"**{problem.plain(made.labels[column])}**{' (baseline)' if column == base else ''}")
    takes = made.plan.takes
    for k, take in enumerate(takes):
        outcome = OUTCOME_OF[int(made.outcomes[row, column, k])]
        why = str(made.whys[row, column, k])
        answer = str(made.answers[row, column, k])
        mark = verdicts.MARKS.get(outcome, ":gray[…]" if not outcome else f":gray[{outcome}]")
        label = f"{take.label}: " if len(takes) > 1 else ""
        st.markdown(f"{problem.plain(label)}{mark} {problem.plain(why)}")
        tie = float(made.ties[row, column, k])
        if math.isfinite(tie) and tie < TIE:
            st.caption(
                f"≈ This greedy answer hangs on a tie: at one place the two likeliest words are {tie:.3f} apart, so "
                "another precision or machine may write the other."
            )
        if k < 3 or outcome != "right":
            before = str(made.answers[row, base, k])
            runs = word_diff(before, answer) if column != base and before else word_diff(answer, answer)
            diff.draw_diff(runs)


def _prompts(made: PromptTable, example: Example, base: int) -> None:
    """What was asked under each version, and the way to its reasons."""
    plan = made.plan
    values = row_values(example, plan.aliases, plan.columns_named)
    with st.expander("The prompts of this row"):
        for version in plan.versions:
            made_prompt = prompt_of(version, values)
            st.markdown(f"**{problem.plain(version.name)}**")
            if isinstance(made_prompt, AppError):
                st.caption(problem.plain(str(made_prompt)))
                continue
            st.code(made_prompt, language=None, wrap_lines=True)
            if rights.button("Why this answer?", key=state.TABLE_EXPORT(f"why {version.name}").name):
                _explain(example, version.template, made_prompt, version.name)


def _explain(example: Example, template: str, prompt: str, name: str) -> None:
    """Keep the prompt as a version of the row, and open it under *Why this answer?*."""
    here = library.workspace()
    if prompt != example.prompt:
        fields = {key: value for key, value in example.fields.items() if key != "template"}
        if text_paths([example]):
            fields["template"] = template
        family = {one.prompt: one for one in here.examples.lineage(example.id)}
        kept = family.get(prompt) or here.examples.add_one(
            here.examples.dataset_of(example.id),
            Example(
                f"{example.id[:50]}-{len(family) + 1}",
                prompt,
                example.target,
                example.source,
                example.id,
                name,
                (),
                fields,
            ),
        )
        example = kept
    library.open_example(example.id)
    st.switch_page("pages/salience.py", query_params=dict(st.query_params))
