"""Variables × versions: each row of values through each version of a template, and which wins where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from core.checks import Outcome
from core.datasets import templates
from core.metrics.contains import contains
from core.metrics.numbers import last_number
from core.metrics.same_number import same_number
from core.records import Example, Generation, GenerationParams, ModelSpec
from core.thinking import answer_of
from core.ui.asking import prompt_box, verdicts
from core.ui.shell import job_box, library, looking, problem, rights, state
from core.ui.shell.row_names import names_of
from core.ui.shell.services import owner, service

TARGET = "target"
MARKS: dict[Outcome, str] = {"right": "✓ ", "wrong": "✗ ", "unsure": "? "}
JOB = "variables × versions"
MOST_ROWS = 200


def template_of(example: Example) -> str:
    """What the version was made from: its template where it has one, else its prompt."""
    return templates.template_of(example) or example.prompt


def draw_grid(versions: Sequence[Example], spec: ModelSpec, params: GenerationParams) -> None:
    """Draw the table of values, the button, and what came of it."""
    st.subheader("The same values through every version", anchor=False)
    names = list(dict.fromkeys(n for v in versions for n in templates.variables(template_of(v))))
    if not names:
        st.caption(
            "Write {name} where something varies in a prompt (on the Editor page), and a table appears here: "
            "each row of values goes through each version, side by side."
        )
        return
    rows = _values(versions, names)
    if rights.button("Run the table", disabled=job_box.is_running(JOB) or not rows):
        asked = [
            (f"{at} {v.id}", prompt_box.sent(templates.render(template_of(v), row), v))
            for at, row in enumerate(rows)
            for v in versions
        ]
        job_box.hold_job(
            JOB,
            service().answers.answer_prompts(asked, spec, params, owner=owner(), view=looking.view_on_show()),
        )
        state.GRID_ASKED.set((rows, [v.id for v in versions]))
        st.rerun()
    job_box.draw_job(JOB, _keep)
    done = state.GRID_DONE.get()
    if done is not None and done[1] == [v.id for v in versions]:
        _results(*done)


def _values(versions: Sequence[Example], names: Sequence[str]) -> list[dict[str, str]]:
    known = [{n: str(v.fields.get(n, "")) for n in names} | {TARGET: v.target or ""} for v in versions]
    start = pd.DataFrame(known, columns=[*names, TARGET]).drop_duplicates(ignore_index=True)
    key = state.GRID(" ".join(names), " ".join(v.id for v in versions))
    edited = st.data_editor(
        start,
        num_rows="dynamic",
        hide_index=True,
        key=key.name,
        column_config={TARGET: st.column_config.TextColumn("hoped-for words (optional)")},
    )
    filled = edited.fillna("").astype(str)
    rows = [dict(zip(filled.columns, values)) for values in filled.itertuples(index=False)]
    return [row for row in rows if any(row[n] for n in names)][:MOST_ROWS]


def _keep(result: dict[str, Generation]) -> None:
    state.GRID_DONE.set((*state.GRID_ASKED.there(), {k: g.text for k, g in result.items()}))


def _results(rows: list[dict[str, str]], versions: list[str], texts: dict[str, str]) -> None:
    """The line of each answer that matters; a mark whether what was hoped for is there."""
    wins = dict.fromkeys(versions, 0)
    called = names_of(versions)
    judged = 0
    table = []
    for at, row in enumerate(rows):
        hoped = row[TARGET].strip()
        outcomes = _outcomes(row, versions, [texts.get(f"{at} {version}", "") for version in versions])
        judged += bool(hoped) or any(one is not None for one in outcomes)
        shown = {name: value for name, value in row.items() if name != TARGET}
        for version, outcome in zip(versions, outcomes):
            text = texts.get(f"{at} {version}", "")
            if outcome is None and hoped:
                outcome = "right" if fits(text, hoped) else "wrong"
            wins[version] += outcome == "right"
            mark = MARKS[outcome] if outcome is not None else ""
            shown[called[version]] = mark + telling_line(text, hoped)
        table.append(shown)
    if judged:
        said = ", ".join(f"{called[version]}: {count}" for version, count in wins.items())
        st.write(problem.plain(f"Right answers, of {judged}: {said}"))
    st.dataframe(table, hide_index=True)
    st.caption(
        "A dataset's checks give ✓ right, ✗ wrong and ? unsure, with the hoped-for words as the target. Without "
        "checks, ✓: the hoped-for words stand there, whole and in order, or, where a number is hoped for, it is the "
        "number that the answer comes to (its last, or the one marked by #### or \\\\boxed). ✗: not so. Of each answer "
        "the telling line is shown, else its last."
    )


def _outcomes(row: Mapping[str, str], versions: Sequence[str], texts: Sequence[str]) -> list[Outcome | None]:
    """The verdict of its dataset's checks on each version's answer; None where nothing is checked."""
    here, found = library.workspace(), []
    hoped = row[TARGET].strip()
    for version, text in zip(versions, texts):
        example, asked = (
            here.examples.get(version),
            verdicts.conditions(here, here.examples.dataset_of(version)),
        )
        fields = {name: value for name, value in example.fields.items() if name != "targets"}
        values = {name: value for name, value in row.items() if name != TARGET}
        prompt = templates.render(template_of(example), values)
        sent = replace(example, prompt=prompt, target=hoped or None, fields=fields)
        (one,) = verdicts.of_texts([(sent, text)], asked)
        found.append(None if one is None else one.outcome)
    return found


def fits(text: str, hoped: str) -> bool:
    """Whether an answer, its thinking aside, has what was hoped for: the same number where `hoped` is one or marks
    one, else its words, whole and in order.
    """
    said = answer_of(text)
    return bool(same_number(said, hoped) if _is_number(hoped) else contains(said, hoped))


def telling_line(text: str, hoped: str) -> str:
    """The last line of a right answer that fits by itself, else the last line that has a letter or digit."""
    lines = [line.strip() for line in answer_of(text).splitlines() if line.strip()]
    saying = [line for line in reversed(lines) if any(char.isalnum() for char in line)] or lines[::-1]
    if hoped and fits(text, hoped):
        saying = [line for line in saying if fits(line, hoped)] or saying
    return saying[0] if saying else "(nothing)"


def _is_number(hoped: str) -> bool:
    found = last_number(hoped)
    return found is not None and (found.marked or found.text == hoped.strip().rstrip("."))
