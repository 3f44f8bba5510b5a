"""Why, over the table: which lines carried wrong answers and what mends them, what mattered in an edit, what may go.

One question at a time, its price told before; Stop keeps every answer that was written, so that asking again goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.checks import from_json
from core.errors import AppError
from core.improve import needless, place_effects
from core.improve.edit_places import edit_places
from core.improve.mend import MOST_ROWS, SUSPECTS
from core.improve.prompt_parts import PromptParts, prompt_parts
from core.prompt_table import PromptTable, PromptVersion
from core.prompt_table.plan import MOST_VERSIONS
from core.records import digest
from core.service.improving import RowsQuestion
from core.store.kept_tables import KeptTable
from core.ui.shell import job_box, library, problem, rights, state, table_choice
from core.ui.shell.services import owner, service
from core.ui.table_page import asking, found_out
from core.ui.table_page.figures import TableReading

if TYPE_CHECKING:
    from core.jobs import Job

MEND, EDIT, NEEDLESS = "What carried the wrong answers?", "What mattered in the edit?", "What may go?"
PRESS = {MEND: "Find and mend", EDIT: "Measure each place", NEEDLESS: "Find what may go"}
CUTS = {"line": "lines", "sentence": "sentences", "paragraph": "paragraphs", "block": "blocks"}
MOST_ROWS_ASKED, FIRST_ROWS = 2_000, 60
REPAIRS_EACH = 8


def draw_improving(table: KeptTable, made: PromptTable, reading: TableReading) -> None:
    """Draw the questions, what one costs, its progress, and what it found."""
    st.subheader("Why, and what to change", anchor=False)
    plan = made.plan
    asked = st.pills(
        "Question",
        [MEND, EDIT, NEEDLESS],
        default=MEND,
        key=state.IMPROVE_ASKED.name,
        persist_state="session",
    )
    if not asked:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        column = st.selectbox(
            "Version",
            range(len(plan.columns)),
            _start(made, reading, asked),
            format_func=made.labels.__getitem__,
            key=state.IMPROVE_COLUMN(table.id, asked).name,
            width=260,
        )
        by = "line"
        if asked != EDIT:
            by = st.selectbox(
                "Parts", list(CUTS), format_func=CUTS.__getitem__, key=state.IMPROVE_CUT.name, width=150
            )
        inside = [row.id for row, within in zip(made.rows, reading.mask) if within]
        most = min(len(inside), MOST_ROWS_ASKED)
        count = int(
            st.number_input(
                "Rows", 1, most, min(most, FIRST_ROWS), key=state.IMPROVE_ROWS(table.id, most).name, width=120
            )
        )
    name = f"improve {table.id} {asked} {column} {by} {count} {reading.baseline} {digest(inside)[:8]}"
    try:
        question = _question(table, made, column, inside[:count])
        if asked == EDIT:
            _edit(name, made, question, column, reading.baseline)
        else:
            parts = prompt_parts(
                plan.versions[plan.columns[column].version].template, by or "line", question.columns
            )
            _on_parts(name, asked, table, question, parts)
    except AppError as error:
        st.caption(problem.in_markdown(error))


def keep_version(table: KeptTable, text: str, called: str) -> None:
    """A table with one more version, the rest as it was; what is answered already costs nothing."""
    plan = table.plan
    names = {version.name for version in plan.versions}
    number, name = 2, called
    while name in names:
        name, number = f"{called} ({number})", number + 1
    if len(plan.versions) >= MOST_VERSIONS:
        problem.show_error(
            AppError(f"A table has at most {MOST_VERSIONS} versions, and this one has as many.")
        )
        return
    try:
        kept = library.workspace().tables.keep(
            replace(plan, versions=(*plan.versions, PromptVersion(name, text))),
            f"{table.name} + {name}"[:200],
        )
    except AppError as error:
        problem.show_error(error)
        return
    asking.start(kept)
    table_choice.open_table(kept.id)
    st.rerun()


def _start(made: PromptTable, reading: TableReading, asked: str) -> int:
    """The baseline; of an edit, the first version that is not."""
    if asked != EDIT:
        return reading.baseline
    return next((at for at in range(len(made.labels)) if at != reading.baseline), 0)


def _question(table: KeptTable, made: PromptTable, column: int, ids: list[str]) -> RowsQuestion:
    plan = made.plan
    if not plan.conditions:
        raise AppError(
            "This table has no checks, so no answer is right or wrong.", hint="Make a table with a check."
        )
    who = plan.answerers[plan.columns[column].answerer]
    wanted = set(ids)
    rows = tuple(row for row in library.workspace().tables.rows(plan) if row.id in wanted)
    return RowsQuestion(
        rows,
        who.spec,
        who.send_as,
        plan.drawn(plan.takes[0]),
        from_json(json.loads(plan.conditions)),
        tuple(plan.aliases.items()),
        tuple(dict.fromkeys([*plan.columns_named, "prompt", "target", *plan.aliases])),
    )


def _on_parts(name: str, asked: str, table: KeptTable, question: RowsQuestion, parts: PromptParts) -> None:
    if not parts.free:
        raise AppError(
            "This version has no text of its own that may be taken out: it is the rows' columns alone.",
            hint="Choose finer parts, or a version with instructions or examples.",
        )
    rows = len(question.rows)
    if asked == MEND:
        most = rows * (1 + REPAIRS_EACH * SUSPECTS)
        price = (
            f"Reads up to {MOST_ROWS} wrong rows, then runs the repairs of what carried them on {rows:,} rows: up to "
            f"{most:,} answers."
        )
    else:
        price = (
            f"Takes out each of {len(parts.free):,} parts, and pairs: up to {needless.cost(parts, rows):,} answers, "
            "and some more for the shortest prompt."
        )
    ask: Callable[..., Job[Any]] = service().improving.mend if asked == MEND else service().improving.needless
    found = _asked(name, price, PRESS[asked], lambda: ask(question, parts, owner=f"{owner()} {name}"))
    if found is None:
        return
    if asked == MEND:
        text = found_out.draw_mended(found)
        if text is not None and rights.button(
            "Keep the winner as a version", key=state.IMPROVE_KEEP(name).name
        ):
            keep_version(table, text, "mended")
    else:
        text = found_out.draw_needless(*found)
        if text is not None and rights.button(
            "Keep the shortest as a version", key=state.IMPROVE_KEEP(name).name
        ):
            keep_version(table, text, "shortest")


def _edit(name: str, made: PromptTable, question: RowsQuestion, column: int, base: int) -> None:
    plan = made.plan
    old, new = (plan.versions[plan.columns[at].version].template for at in (base, column))
    if old == new:
        raise AppError(
            "The version is the baseline itself.", hint="Choose another version, or another baseline."
        )
    places = edit_places(old, new)
    mixtures = place_effects.mixtures(len(places.places))
    rows = len(question.rows)
    price = (
        f"{made.labels[base]} and {made.labels[column]} differ in {len(places.places):,} places. Up to {mixtures:,} "
        f"mixtures of both are asked on {rows:,} rows: {mixtures * rows:,} answers."
    )
    found = _asked(
        name,
        price,
        PRESS[EDIT],
        lambda: service().improving.edit(question, places, owner=f"{owner()} {name}"),
    )
    if found is not None:
        found_out.draw_edit(places, found)


def _asked(name: str, price: str, label: str, press: Callable[[], Job[Any]]) -> Any:
    """What was found; before that the price and the button, or the progress with Stop."""
    held = state.IMPROVED.get({})
    running = job_box.draw_job(name, then=lambda result: state.IMPROVED.set({**held, name: result}))
    if running or name in held:
        return held.get(name)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(problem.plain(f"{price} What was asked before costs nothing."), width="stretch")
        if rights.button(label, type="primary", key=state.IMPROVE_PRESS(name).name):
            job_box.hold_job(name, press())
            st.rerun()
    return None
