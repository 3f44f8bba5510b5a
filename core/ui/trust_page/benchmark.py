"""The upper half of the Trust page: what the benchmark of planted causes found, in words, dots and tables."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.errors import AppError
from core.faithfulness.results import PATH, BenchmarkResults, read
from core.records import ModelSpec
from core.ui.shell import problem, state
from core.ui.shell.bar_table import bar_table
from core.ui.shell.services import service
from core.ui.trust_page import panels, words

HOW = (
    "Each prompt was made so that one known line decides the answer, and counts only if the model’s answer "
    "really changes once that line is mended or removed. A bar says how often a method puts that line "
    "first; whiskers are 95 % intervals, dotted ticks the goals (90 % for the best gradient method, 95 % for "
    "leave one out); grey orders know nothing of the model, or come from random weights. It measures "
    "whether maps find causes in prompts of these kinds; other prompts may be harder."
)


def draw_benchmark(spec: ModelSpec, path: Path = PATH) -> None:
    """Draw what is known, and for which model it holds."""
    try:
        found = read(path)
    except AppError as error:
        problem.show_error(error)
        return
    if found is None:
        st.info("No benchmark has been run yet. “make bench-methods” makes these figures.")
        return
    if said := words.about(found, service().resolve(spec)):
        st.warning(problem.plain(said), icon=":material/info:")
    whole = panels.overall(found)
    if whole.lines:
        best = whole.lines[0]
        st.markdown(f"#### {problem.plain(words.lead(best.label, best.bars[0].text))}")
    drawn = panels.series()
    bar_table(
        [whole],
        key=state.TRUST_OVERALL.name,
        about="How often each method finds the cause first",
        series=drawn,
        legend=False,
    )
    st.subheader("By kind of prompt", anchor=False)
    bar_table(
        panels.by_task(found),
        key=state.TRUST_BY_TASK.name,
        about="How often each method finds the cause first, by kind of prompt",
        series=drawn,
        legend=False,
    )
    st.caption(HOW)
    with st.expander("Details: what this does not show, all figures, goals"):
        for line in words.caveats(found):
            st.caption(problem.plain(line))
        _tables(found)


def _tables(found: BenchmarkResults) -> None:
    figures, goals, prompts, precisions, curves = st.tabs(
        ["All figures", "Goals", "Prompts", "Precisions", "Curves over the tasks"]
    )
    share = st.column_config.NumberColumn(format="percent")
    with figures:
        shares = ("Cause first", "from", "to", "In the first three", "Precision@k")
        st.dataframe(
            words.prompts_table(found),
            hide_index=True,
            column_config={
                **dict.fromkeys(shares, share),
                "Mean reciprocal rank": st.column_config.NumberColumn(format="%.2f"),
            },
        )
    with goals:
        st.dataframe(words.goals(found), hide_index=True)
    with prompts:
        st.dataframe(
            [
                {
                    "Task": words.task_name(task.key),
                    "Drawn": task.drawn,
                    "Cause verified": task.verified,
                    "Answered otherwise": task.answered_otherwise,
                    "Did not flip": task.did_not_flip,
                    "Lines (mean)": round(task.lines, 1),
                }
                for task in found.tasks
            ],
            hide_index=True,
        )
        st.caption(
            problem.plain(
                f"{found.model}, version {found.revision[:8]}, {found.date}, with “{found.command}”."
            )
        )
    with precisions:
        st.dataframe(
            words.changes(found),
            hide_index=True,
            column_config={
                name: st.column_config.NumberColumn(format="%+.0f")
                for name in ("Change (points)", "from", "to")
            },
        )
        st.caption("The same prompts and answers, quantised against float32, with 95 % intervals.")
    with curves:
        st.dataframe(
            words.areas(found),
            hide_index=True,
            column_config={
                name: st.column_config.NumberColumn(format="%+.2f")
                for name in ("Deletion (nats)", "Insertion (nats)")
            },
        )
        st.caption("Mean distance from random orders; above 0, the method’s order is better than chance.")
