"""A reviewer's queue: what is judged, who judges, and what comes next. Everything is asked of the store anew."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations

import streamlit as st

from core.prompt_table import OPEN, PromptTable
from core.prompt_table.table import FAILED, SKIPPED
from core.review import Opinion, newest, open_tasks
from core.review.opinion import LONGEST_NAME
from core.review.order import Task
from core.store.kept_tables import KeptTable
from core.ui.shell import rights, state

JUDGE, BLIND = "Is the answer right?", "Which answer is better? (blind)"


@dataclass(frozen=True)
class ReviewQueue:
    """What this person is asked: `left` in their order, of `all`; `blind`: two answers without their names."""

    table: KeptTable
    made: PromptTable
    reviewer: str
    blind: bool
    all: int
    left: tuple[Task, ...]

    def place(self, row_id: str) -> int:
        """Where a row stands in the table."""
        return next(at for at, row in enumerate(self.made.rows) if row.id == row_id)


def choose_queue(table: KeptTable, made: PromptTable, said: list[Opinion]) -> ReviewQueue | None:
    """Draw who judges and what. Returns None where nothing can be judged yet, which is said."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        reviewer = st.text_input(
            "Your name",
            key=state.REVIEWER.name,
            persist_state="session",
            max_chars=LONGEST_NAME,
            width=220,
            placeholder="Ann",
            help="Any name. It stands beside what you say; no account is needed.",
        )
        ways = [JUDGE, BLIND] if len(made.labels) > 1 else [JUDGE]
        way = st.segmented_control(
            "What to judge",
            ways,
            default=ways[0],
            required=True,
            key=state.REVIEW_WAY.name,
            persist_state="session",
        )
    if not rights.may_comment():
        st.info("You may look at what people say, not add to it: ask for a link that may judge and comment.")
        return None
    if not (reviewer or "").strip():
        st.info("Write your name, and the first answer appears here.")
        return None
    blind = way == BLIND
    tasks = pairs_of(made) if blind else answers_of(made)
    if not tasks:
        st.info(
            "No two answers of a row differ, so there is nothing to choose between."
            if blind
            else "This table has no answers yet."
        )
        return None
    who = (reviewer or "").strip()
    judged, mine = done(said, blind, who)
    left = open_tasks(tasks, mine, judged, who, f"{table.id} {blind}")
    left = _what_is_shown_first(left, state.REVIEW_SHOWN(table.id, blind, who))
    return ReviewQueue(table, made, who, blind, len(tasks), tuple(left))


def _what_is_shown_first(left: list[Task], shown: state.Key[Task]) -> list[Task]:
    """`left` with what is on the screen in front, whatever others have judged since: a press is for what was seen."""
    held = shown.get()
    if held is not None and held in left:
        left = [held, *(task for task in left if task != held)]
    if left:
        shown.set(left[0])
    return left


def done(said: list[Opinion], blind: bool, reviewer: str) -> tuple[Counter[Task], set[Task]]:
    """How many people have judged each task, and which of them `reviewer` has."""
    kind = "choice" if blind else "verdict"
    listed = [one for one in newest(said) if one.kind == kind]
    judged: Counter[Task] = Counter((one.example_id, one.column, one.other) for one in listed)
    mine = {
        (one.example_id, one.column, one.other)
        for one in listed
        if one.reviewer.casefold() == reviewer.casefold()
    }
    return judged, mine


def answers_of(made: PromptTable) -> list[Task]:
    """Every cell that has an answer, by its first take."""
    first = made.outcomes[:, :, 0]
    return [
        (row.id, column, -1)
        for at, row in enumerate(made.rows)
        for column in range(len(made.labels))
        if first[at, column] not in (OPEN, FAILED, SKIPPED)
    ]


def pairs_of(made: PromptTable) -> list[Task]:
    """Every two answers of a row that differ."""
    answered = {(row, column) for row, column, _ in answers_of(made)}
    return [
        (row.id, one, other)
        for at, row in enumerate(made.rows)
        for one, other in combinations(range(len(made.labels)), 2)
        if (row.id, one) in answered
        and (row.id, other) in answered
        and str(made.answers[at, one, 0]).strip() != str(made.answers[at, other, 0]).strip()
    ]
