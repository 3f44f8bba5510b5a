"""A table of prompts as one HTML file: who wins, the prompts with their changes, and the rows that turned, first.

Like the report of a map it opens anywhere, without network; its policy lets no script run at all. Everything goes
through a template that escapes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.compare import Run, word_diff
from core.figures import palette
from core.prompt_table.narrow import shown_rows
from core.prompt_table.standing import COUNTINGS, Counting, Standing, standings
from core.prompt_table.table import OUTCOME_OF, PromptTable
from core.report.page import environment

MOST_ROWS = 200
MARKS = {
    "right": "✓ right:",
    "wrong": "✗ wrong:",
    "unsure": "? unsure:",
    "failed": "! failed:",
    "skipped": "– not asked:",
}


@dataclass(frozen=True, slots=True)
class ReportPart:
    """A further part of the report: sentences, and texts with what changed in them under a label each."""

    title: str
    lines: tuple[str, ...] = ()
    texts: tuple[tuple[str, tuple[Run, ...]], ...] = ()


def to_html(
    table: PromptTable,
    title: str,
    counting: Counting = "share",
    mask: NDArray[np.bool_] | None = None,
    baseline: int | None = None,
    *,
    verdict: str = "",
    parts: Sequence[ReportPart] = (),
    remarks: Mapping[str, Sequence[str]] | None = None,
) -> bytes:
    """The report as one file, UTF-8. `remarks` stand under rows, by their id (reviewers' verdicts and comments)."""
    table = table.as_it_is
    base = table.plan.baseline if baseline is None else baseline
    found = standings(table, counting, mask, base)
    places = shown_rows(table, "all", "turned", counting=counting, baseline=base, mask=mask)
    plan, said = table.plan, remarks or {}
    first = plan.versions[plan.columns[base].version]
    html = environment().get_template("table.html").render(
        title=title,
        verdict=verdict or _verdict(found, base),
        about=_about(table, len(places)),
        how=f"A row counts by the {COUNTINGS[counting]}. p: two-sided, exact, over the rows that turned.",
        columns=[_column(one, at == base) for at, one in enumerate(found)],
        parts=[
            {
                "title": part.title,
                "lines": part.lines,
                "texts": [{"label": label, "runs": runs} for label, runs in part.texts],
            }
            for part in parts
        ],
        versions=[
            {"name": one.name, "runs": word_diff(first.template, one.template)} for one in plan.versions
        ],
        rows_title=f"Rows, those that turned first ({min(len(places), MOST_ROWS):,} of {len(places):,})",
        rows=[_row(table, int(at), base, said) for at in places[:MOST_ROWS]],
        left=f"{len(places) - MOST_ROWS:,} further rows are in the CSV and JSON Lines exports."
        if len(places) > MOST_ROWS
        else "",
        palette=palette,
    )  # fmt: skip
    return html.encode()


def _verdict(found: Sequence[Standing], base: int) -> str:
    lines = [
        f"{one.label}: right in {one.value.value:.1%} of {one.value.rows:,} rows"
        for one in found
        if one.value.rows
    ]
    return "; ".join(lines) + "." if lines else "Nothing is answered yet."


def _about(table: PromptTable, rows: int) -> str:
    plan = table.plan
    params = plan.params
    drawn = (
        "the likeliest token each time" if params.temperature == 0 else f"temperature {params.temperature:g}"
    )
    who = ", ".join(f"{one.label} ({one.spec.precision})" for one in plan.answerers)
    return (
        f"{rows:,} rows × {len(plan.versions)} versions × {len(plan.takes)} answers by {who}; {drawn}, at most "
        f"{params.max_new_tokens:,} tokens."
    )


def _column(one: Standing, base: bool) -> dict[str, Any]:
    value, test = one.value, one.against
    return {
        "label": one.label,
        "base": base,
        "right": f"{value.value:.1%}" if value.rows else "–",
        "interval": f"{value.low:.1%} to {value.high:.1%}" if math.isfinite(value.low) else "–",
        "rows": f"{value.rows:,}",
        "better": f"{one.better:,}",
        "worse": f"{one.worse:,}",
        "same": f"{one.same:,}",
        "difference": "–" if test is None else f"{test.difference:+.1%}",
        "p": "–" if test is None else f"{test.p:.3g}",
    }


def _row(table: PromptTable, at: int, base: int, said: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    row = table.rows[at]
    cells = []
    for column, label in enumerate(table.labels):
        for k, take in enumerate(table.plan.takes):
            outcome = OUTCOME_OF[int(table.outcomes[at, column, k])]
            answer, before = str(table.answers[at, column, k]), str(table.answers[at, base, k])
            cells.append(
                {
                    "label": f"{label}, {take.label}" if len(table.plan.takes) > 1 else label,
                    "outcome": outcome,
                    "mark": MARKS.get(outcome, "not answered yet"),
                    "why": table.whys[at, column, k],
                    "runs": word_diff(before, answer)
                    if column != base and before
                    else (Run("kept", answer),),
                }
            )
    return {
        "called": row.called,
        "targets": " | ".join(row.targets),
        "cells": cells,
        "remarks": list(said.get(row.id, ())),
    }
