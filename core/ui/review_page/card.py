"""One thing to judge: the prompt, the answer or two without their names, buttons with keys, and a comment on a span."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.errors import AppError
from core.prompt_table.prompts import prompt_of, row_values
from core.records import Example
from core.review import Opinion, swapped
from core.review.order import Task
from core.ui.asking import opinions
from core.ui.review_page.queue import ReviewQueue
from core.ui.shell import library, problem, rights, state

KEYS = {"right": "1", "wrong": "2", "unsure": "3", "left": "1", "right side": "2", "tie": "3"}


def draw_next(queue: ReviewQueue) -> None:
    """Draw the next task of the queue; a verdict is kept at once, and the one after it appears."""
    finished = queue.all - len(queue.left)
    st.progress(finished / queue.all, text=f"{finished:,} of {queue.all:,} judged by you")
    if not queue.left:
        st.success("You have judged everything here. Thank you.")
        return
    task = queue.left[0]
    at = queue.place(task[0])
    row = queue.made.rows[at]
    try:
        example = library.workspace().examples.get(row.id)
    except AppError:
        st.info("This row has been removed since.")
        return
    st.subheader(problem.plain(row.called), anchor=False)
    if queue.blind:
        _blind(queue, task, at)
    else:
        _one(queue, task, at)
    prompt = prompt_text(queue, example, task[1])
    with st.expander("The prompt"):
        st.code(prompt, language=None, wrap_lines=True)
    answer = str(queue.made.answers[at, task[1], 0])
    column = -1 if queue.blind else task[1]
    about = {"prompt": prompt} if queue.blind else {"answer": answer, "prompt": prompt}
    opinions.comment_on(row.id, about, reviewer=queue.reviewer, table_id=queue.table.id, column=column)


def prompt_text(queue: ReviewQueue, example: Example, column: int) -> str:
    """What the row was asked under the version of a column; under blind choices, the row itself."""
    plan = queue.made.plan
    if queue.blind:
        return example.prompt
    version = plan.versions[plan.columns[column].version]
    made = prompt_of(version, row_values(example, plan.aliases, plan.columns_named))
    return str(made)


def _one(queue: ReviewQueue, task: Task, at: int) -> None:
    row = queue.made.rows[at]
    st.code(str(queue.made.answers[at, task[1], 0]) or " ", language=None, wrap_lines=True)
    if row.targets:
        st.caption(problem.plain(f"Hoped for: {' | '.join(row.targets)}"))
    with st.container(horizontal=True):
        for value, label in (("right", "Right"), ("wrong", "Wrong"), ("unsure", "Unsure")):
            _button(label, KEYS[value], _say(queue, task, "verdict", value), task)


def _blind(queue: ReviewQueue, task: Task, at: int) -> None:
    """The two answers in an order that is the person's own; which version wrote which is not said."""
    turned = swapped(task, queue.reviewer, queue.table.id)
    left, right = (task[2], task[1]) if turned else (task[1], task[2])
    for place, (name, column) in zip(st.columns(2), (("A", left), ("B", right))):
        with place:
            st.markdown(f"**{name}**")
            st.code(str(queue.made.answers[at, column, 0]) or " ", language=None, wrap_lines=True)
    row = queue.made.rows[at]
    if row.targets:
        st.caption(problem.plain(f"Hoped for: {' | '.join(row.targets)}"))
    values = ("second", "first") if turned else ("first", "second")
    with st.container(horizontal=True):
        _button("A is better", KEYS["left"], _say(queue, task, "choice", values[0]), task)
        _button("B is better", KEYS["right side"], _say(queue, task, "choice", values[1]), task)
        _button("Tie", KEYS["tie"], _say(queue, task, "choice", "tie"), task)


def _button(label: str, key: str, say: Callable[[], None], task: Task) -> None:
    """A press keeps the verdict; the box of it is the task's, so that a second press never judges the next one."""
    name = state.REVIEW_SAY(label, *task).name
    if rights.comment_button(
        label, key=name, shortcut=key, type="primary" if label in ("Right", "A is better") else "secondary"
    ):
        say()


def _say(queue: ReviewQueue, task: Task, kind: str, value: str) -> Callable[[], None]:
    def keep() -> None:
        try:
            library.workspace().reviews.say(
                Opinion(
                    kind,  # type: ignore[arg-type]
                    task[0],
                    queue.reviewer,
                    value,
                    table_id=queue.table.id,
                    column=task[1],
                    other=task[2],
                )
            )
        except AppError as error:
            problem.show_error(error)
            return
        st.rerun()

    return keep
