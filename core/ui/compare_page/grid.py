"""Variables × versions: each row of values through each version of a template, and which wins where."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.datasets import templates
from core.records import Example, Generation, GenerationParams, ModelSpec
from core.ui.asking import prompt_box
from core.ui.shell import job_box, looking, problem
from core.ui.shell.services import owner, service

TARGET = "target"
JOB = "variables × versions"
MOST_ROWS = 200


def template_of(example: Example) -> str:
    """What the version was made from: its template where it has one, else its prompt."""
    return templates.template_of(example) or example.prompt


def draw(versions: Sequence[Example], spec: ModelSpec, params: GenerationParams) -> None:
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
    if st.button("Run the table", disabled=job_box.running(JOB) or not rows):
        asked = [
            (f"{at} {v.id}", prompt_box.sent(templates.render(template_of(v), row), v))
            for at, row in enumerate(rows)
            for v in versions
        ]
        job_box.hold(
            JOB, service().answers.generate_many(asked, spec, params, owner=owner(), view=looking.view())
        )
        st.session_state["grid asked"] = (rows, [v.id for v in versions])
        st.rerun()
    job_box.draw(JOB, _keep)
    done = st.session_state.get("grid done")
    if done is not None and done[1] == [v.id for v in versions]:
        _results(*done)


def _values(versions: Sequence[Example], names: Sequence[str]) -> list[dict[str, str]]:
    known = [{n: str(v.fields.get(n, "")) for n in names} | {TARGET: v.target or ""} for v in versions]
    start = pd.DataFrame(known, columns=[*names, TARGET]).drop_duplicates(ignore_index=True)
    key = f"grid {' '.join(names)} {' '.join(v.id for v in versions)}"
    edited = st.data_editor(
        start,
        num_rows="dynamic",
        hide_index=True,
        key=key,
        column_config={TARGET: st.column_config.TextColumn("hoped-for words (optional)")},
    )
    filled = edited.fillna("").astype(str)
    rows = [dict(zip(filled.columns, values)) for values in filled.itertuples(index=False)]
    return [row for row in rows if any(row[n] for n in names)][:MOST_ROWS]


def _keep(result: dict[str, Generation]) -> None:
    st.session_state["grid done"] = (*st.session_state["grid asked"], {k: g.text for k, g in result.items()})


def _results(rows: list[dict[str, str]], versions: list[str], texts: dict[str, str]) -> None:
    """Last lines of the answers; a mark where the hoped-for words are in the answer."""
    wins = dict.fromkeys(versions, 0)
    judged = 0
    table = []
    for at, row in enumerate(rows):
        hoped = row[TARGET].strip().casefold()
        judged += bool(hoped)
        shown = {name: value for name, value in row.items() if name != TARGET}
        for version in versions:
            text = texts.get(f"{at} {version}", "")
            right = bool(hoped) and hoped in text.casefold()
            wins[version] += right
            mark = ("✓ " if right else "✗ ") if hoped else ""
            shown[version] = mark + (text.strip().splitlines() or ["(nothing)"])[-1]
        table.append(shown)
    if judged:
        said = ", ".join(f"{version}: {count}" for version, count in wins.items())
        st.write(problem.plain(f"Answers with the hoped-for words, of {judged}: {said}"))
    st.dataframe(table, hide_index=True)
    st.caption("The last line of each answer. ✓: the hoped-for words stand in the answer, ✗: they do not.")
