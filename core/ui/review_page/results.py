"""How far reviewers agree with each other and with the checks, which version they prefer; and exports."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import pandas as pd
import streamlit as st

from core.datasets.export import to_csv, to_jsonl
from core.prompt_table import PromptTable
from core.prompt_table.table import OUTCOME_OF
from core.review import Opinion, agreements, newest, preferences
from core.ui.asking import opinions
from core.ui.shell import problem, state


def draw_results(made: PromptTable, said: list[Opinion]) -> None:
    """Draw agreement, preferences, the comments, and the exports."""
    if not said:
        st.caption("Nobody has said anything about this table yet.")
        return
    _agreement(made, said)
    _preferences(made, said)
    comments = [one for one in said if one.kind == "comment"]
    if comments:
        st.markdown(f"**Comments ({len(comments):,})**")
        names = {row.id: row.called for row in made.rows}
        for one in comments[-20:]:
            row = problem.plain(names.get(one.example_id, one.example_id))
            st.markdown(f"{row} · {opinions.in_words(one, made.labels)}")
    lines = lines_of(made, said)
    with st.popover("Export"):
        for label, name, mime, write in (
            ("CSV", "reviews.csv", "text/csv", to_csv),
            ("JSON Lines", "reviews.jsonl", "application/x-ndjson", to_jsonl),
        ):
            st.download_button(
                label,
                write(pd.DataFrame(lines)),
                name,
                mime,
                key=state.TABLE_EXPORT(name).name,
                on_click="ignore",
                width="stretch",
            )


def lines_of(made: PromptTable, said: list[Opinion]) -> list[dict[str, Any]]:
    """Everything that was said, one record each, with the row, the columns and the answer by name; `counts` is False
    for a verdict that its reviewer gave anew.
    """
    names = {row.id: at for at, row in enumerate(made.rows)}
    counted = {one.id for one in newest(said)}
    out = []
    for one in said:
        at = names.get(one.example_id)
        told: dict[str, Any] = asdict(one) | {"counts": one.id in counted}
        told["row"] = made.rows[at].called if at is not None else one.example_id
        for field in ("column", "other"):
            place = int(told.pop(field))
            told["version" if field == "column" else "against"] = (
                made.labels[place] if 0 <= place < len(made.labels) else ""
            )
        shown = at is not None and 0 <= one.column < len(made.labels)
        told["answer"] = str(made.answers[at, one.column, one.take]) if shown else ""
        out.append(told)
    return out


def _agreement(made: PromptTable, said: list[Opinion]) -> None:
    names = {row.id: at for at, row in enumerate(made.rows)}
    checks = {}
    for one in said:
        at = names.get(one.example_id)
        if one.kind == "verdict" and at is not None and 0 <= one.column < len(made.labels):
            outcome = OUTCOME_OF[int(made.outcomes[at, one.column, one.take])]
            if outcome in ("right", "wrong", "unsure"):
                checks[(one.example_id, one.column, one.take)] = outcome
    alpha, several, pairs = agreements(said, checks)
    if not pairs:
        return
    st.markdown("**Agreement**")
    if several:
        told = f"{alpha:.2f}" if math.isfinite(alpha) else "not defined, everybody always says the same"
        judged = f"over {several:,} answers that two or more judged"
        st.write(problem.plain(f"Krippendorff's alpha of the reviewers: {told}, {judged}."))
    lines = [
        {
            "": f"{one.first} and {one.second}",
            "answers that both judged": one.items,
            "the same": f"{one.same:,} ({one.same / one.items:.0%})" if one.items else "–",
            "Cohen's kappa": f"{one.kappa:.2f}" if math.isfinite(one.kappa) else "–",
        }
        for one in pairs
    ]
    st.dataframe(pd.DataFrame(lines), hide_index=True, height="content", alt="Agreement of each two")
    st.caption(
        "1: they always agree; 0: as often as by chance; –: chance alone would agree fully, or none was judged by both."
    )


def _preferences(made: PromptTable, said: list[Opinion]) -> None:
    found = [one for one in preferences(said) if one.second < len(made.labels)]
    if not found:
        return
    st.markdown("**Blind choices**")
    lines = [
        {
            "": f"{made.labels[one.first]} / {made.labels[one.second]}",
            "for the first": one.for_first,
            "for the second": one.for_second,
            "ties": one.ties,
            "rows won": f"{one.rows_first} / {one.rows_second}",
            "p": f"{one.p:.3f}",
        }
        for one in found
    ]
    st.dataframe(pd.DataFrame(lines), hide_index=True, height="content", alt="Blind choices")
    st.caption("p: the exact sign test over the rows; ties do not count.")
