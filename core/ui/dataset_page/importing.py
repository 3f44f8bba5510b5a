"""The import step: a file's first rows as they are, what its columns mean, and the examples that come of it.

Nothing is kept until the person presses *Add*; the proposal stands in the form and everything in it can be changed.
What was chosen is kept with the dataset and proposed for the next file with the same columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from core.datasets import (
    Bounds,
    ColumnPlan,
    FileRows,
    ImportProposal,
    LoadedDataset,
    check,
    not_sent,
    propose,
    to_examples,
)
from core.datasets.plan import from_json, unknown
from core.errors import AppError
from core.settings import settings
from core.ui.dataset_page import preview
from core.ui.shell import problem, state

if TYPE_CHECKING:
    from core.store.workspace import Workspace

COLUMN, TEMPLATE = "A column", "A template"
NONE = ""
_TRIED_ROWS = 2_000
"""So many rows are made into examples while the person chooses; all of them when *Add* is pressed."""


def hold_file(rows: FileRows, workspace: Workspace) -> None:
    """Put a file before the person: it becomes a dataset when they press *Add*."""
    if not rows.rows:
        raise AppError(_nothing(rows))
    kept = workspace.datasets.plan_for(rows.shape)
    before = None
    if kept is not None:
        try:
            before = from_json(kept)
            check(before, rows)
        except AppError:
            before = None
    number = files_held() + 1
    state.IMPORTS.set(number)
    state.IMPORT.set((number, rows, propose(rows, before)))


def files_held() -> int:
    """How many files were put before the person in this session."""
    return state.IMPORTS.get(0)


def waiting() -> bool:
    """Whether a file waits to be added."""
    return state.IMPORT.held


def confirm_import() -> LoadedDataset | None:
    """Draw the step. Returns what to add once the person presses *Add*; Cancel ends the step."""
    number, rows, proposal = state.IMPORT.there()
    bounds = Bounds.of(settings())
    st.subheader(problem.plain(f"Add “{rows.name}”"), anchor=False)
    st.caption(problem.plain(_found(rows)))
    for note in rows.notes:
        st.info(problem.plain(note), icon=":material/info:")
    _first_row(number, rows)
    _say(proposal)
    form, seen = st.columns([2, 3], gap="large")
    with form:
        plan = _form(rows, proposal, number)
    with seen:
        fault = preview.draw_import_preview(rows, plan, bounds, _TRIED_ROWS)
    with form:
        _leftover(rows, plan)
        with st.container(horizontal=True):
            pressed = st.button(
                f"Add {len(rows.rows):,} {'row' if len(rows.rows) == 1 else 'rows'}",
                type="primary",
                disabled=fault is not None,
                key=state.ADD_IMPORT(number).name,
            )
            if st.button("Cancel", key=state.CANCEL_IMPORT(number).name):
                done()
                st.rerun()
    if pressed:
        with st.spinner("Adding"):
            return to_examples(rows, plan, bounds)
    return None


def _first_row(number: int, rows: FileRows) -> None:
    """Of a table of cells: whether its first row names the columns; to be turned round."""
    first = rows.first
    if first is None:
        return
    named = st.toggle(
        "The first row names the columns", value=first.named, key=state.IMPORT_FIELD(number, "first row").name
    )
    cells = ", ".join(f"“{_short(cell)}”" for cell in first.cells[:6]) + (
        ", …" if len(first.cells) > 6 else ""
    )
    if not first.sure:
        taken = "was taken as the columns’ names" if first.named else "was taken as a row: it reads like one"
        st.caption(problem.plain(f"The first row ({cells}) {taken}. Turn it round if that is wrong."))
    if named != first.named:
        other = rows.with_first_row(named=named)
        again = files_held() + 1
        state.IMPORTS.set(again)
        state.IMPORT.set((again, other, propose(other)))
        st.rerun()


def _short(cell: Any, most: int = 30) -> str:
    text = " ".join(str("" if cell is None else cell).split())
    return text if len(text) <= most else f"{text[:most]}…"


def done() -> None:
    """Forget the file."""
    state.IMPORT.pop()


def _found(rows: FileRows) -> str:
    """`1,319 rows · 5 columns · 2 lines that cannot be read`."""
    parts = [f"{len(rows.rows):,} {'row' if len(rows.rows) == 1 else 'rows'}"]
    parts.append(f"{len(rows.top):,} {'column' if len(rows.top) == 1 else 'columns'}")
    if rows.problems:
        lines = "line" if len(rows.problems) == 1 else "lines"
        parts.append(f"{len(rows.problems):,} {lines} cannot be read, such as line {_problem(rows)}")
    return " · ".join(parts)


def _problem(rows: FileRows) -> str:
    first = rows.problems[0]
    return f"{first.line:,}: {first.reason}"


def _say(proposal: ImportProposal) -> None:
    if proposal.from_before:
        st.info("Filled in as you chose for the last file with these columns.", icon=":material/history:")
    elif not proposal.sure:
        st.warning(
            "No column is called like a prompt. Choose one, or write a template over the columns.",
            icon=":material/help:",
        )


def _form(rows: FileRows, proposal: ImportProposal, number: int) -> ColumnPlan:
    proposed = proposal.plan
    labels = _labels(rows, proposed)
    options = list(labels)

    def named(path: str) -> str:
        return labels.get(path, path) if path else "None"

    ways = [COLUMN, TEMPLATE]
    way = st.segmented_control(
        "The prompt is",
        ways,
        default=TEMPLATE if proposed.template else COLUMN,
        key=state.IMPORT_FIELD(number, "way").name,
        required=True,
    )
    prompt = template = ""
    if way == TEMPLATE:
        template = st.text_area(
            "Template",
            proposed.template or _first_template(proposed, options),
            key=state.IMPORT_FIELD(number, "template").name,
            height=150,
            help="Columns stand in braces: {question} or {{question}}. A paragraph whose columns are all empty in a "
            "row is left out of it.",
        )
        st.caption(problem.plain("Columns: " + ", ".join(f"{{{path}}}" for path in options[:12])))
        for name in unknown(template or "", options)[:3]:
            st.caption(problem.plain(f"There is no column “{name}”: it stays as it stands."))
    else:
        place = options.index(proposed.prompt) if proposed.prompt in options else None
        prompt = (
            st.selectbox(
                "Prompt",
                options,
                index=place,
                format_func=named,
                key=state.IMPORT_FIELD(number, "prompt").name,
            )
            or ""
        )
    targets = st.multiselect(
        "Target: the right answer, or several",
        options,
        list(proposed.targets),
        format_func=named,
        key=state.IMPORT_FIELD(number, "targets").name,
        placeholder="None",
        help="Each counts as right. A column may hold a list of right answers.",
    )
    more = {
        "source": "Source: groups the rows",
        "called": "Name: what a row is called",
        "system": "System message",
    }
    chosen: dict[str, str] = {}
    with st.expander("Source, name, system message", expanded=False):
        for name, label in more.items():
            usual = getattr(proposed, name)
            place = [NONE, *options].index(usual) if usual in options else 0
            chosen[name] = st.selectbox(
                label,
                [NONE, *options],
                index=place,
                format_func=named,
                key=state.IMPORT_FIELD(number, name).name,
            )
    return ColumnPlan(prompt=prompt, template=template or "", targets=tuple(targets), **chosen)


def _labels(rows: FileRows, proposed: ColumnPlan) -> dict[str, str]:
    """Every path that can be chosen, with what stands there."""
    kinds = {
        "text": "text",
        "texts": "list of texts",
        "number": "number",
        "flag": "yes or no",
        "turns": "chat",
        "object": "object",
        "objects": "list of objects",
        "list": "list",
        "empty": "empty",
    }
    labels = {column.path: f"{column.path} · {kinds[column.kind]}" for column in rows.columns}
    wanted = (proposed.prompt, *proposed.targets, proposed.source, proposed.called, proposed.system)
    return labels | {path: path for path in wanted if path and path not in labels}


def _first_template(proposed: ColumnPlan, options: list[str]) -> str:
    first = proposed.prompt if proposed.prompt in options else (options[0] if options else "question")
    return f"{{{first}}}"


def _leftover(rows: FileRows, plan: ColumnPlan) -> None:
    if not plan.ready:
        return
    left = not_sent(rows, plan)
    if left:
        named = ", ".join(left[:12]) + (f" and {len(left) - 12:,} more" if len(left) > 12 else "")
        st.caption(problem.plain(f"Kept in the table, but not sent to the model: {named}."))


def _nothing(rows: FileRows) -> str:
    if not rows.problems:
        return "The file holds no examples."
    first = rows.problems[0]
    if len(rows.problems) == 1:
        return f"The file's only line, line {first.line:,}, could not be read: {first.reason}"
    return f"None of the {len(rows.problems):,} lines could be read. Line {first.line:,}, for example: {first.reason}"


def kept_of_import(loaded: LoadedDataset) -> dict[str, Any]:
    """What the store keeps of an import, beside the examples."""
    return {
        "origin": loaded.origin,
        "problems": [(found.line, found.reason) for found in loaded.problems],
        "imported": loaded.kept(),
    }
