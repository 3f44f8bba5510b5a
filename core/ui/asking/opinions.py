"""What people said about a row, beside it on every page, and a comment on a stretch of its prompt or answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import streamlit as st

from core.errors import AppError
from core.review import Opinion, newest
from core.ui.asking.verdicts import MARKS
from core.ui.shell import library, problem, rights, state

NAMES = {"prompt": "the prompt", "answer": "the answer"}


def draw_opinions(example_id: str, labels: Sequence[str] = (), table_id: str = "") -> None:
    """What was said about a row, newest last; nothing where nothing was. `labels`: columns of the table `table_id`."""
    said = newest(library.workspace().reviews.of_example(example_id))
    if not said:
        return
    st.markdown("**What people say**")
    for one in said:
        st.markdown(in_words(one, labels if one.table_id == table_id else ()))


def in_words(one: Opinion, labels: Sequence[str] = ()) -> str:
    """An opinion as a line of Markdown, its texts made literal."""
    who = problem.plain(one.reviewer)
    about = f" on {problem.plain(labels[one.column])}" if 0 <= one.column < len(labels) else ""
    when = f"{datetime.fromtimestamp(one.at, UTC):%d %b %H:%M}"
    if one.kind == "verdict":
        return f"{who}{about}: {MARKS[one.value]} · {when}"
    if one.kind == "choice":
        named = {"first": one.column, "second": one.other}.get(one.value, -1)
        picked = (
            "a tie" if named < 0 else f"prefers {labels[named] if named < len(labels) else 'one version'}"
        )
        return f"{who}: {problem.plain(picked)} · {when}"
    quote = f" “{problem.plain(one.quote)}”:" if one.quote else ""
    place = f" ({NAMES[one.place]})" if one.place and one.quote else ""
    return f"{who}{about}{place}:{quote} {problem.plain(one.text)} · {when}"


def plain_words(one: Opinion, labels: Sequence[str] = ()) -> str:
    """An opinion as a line of text, for a report."""
    about = f" on {labels[one.column]}" if 0 <= one.column < len(labels) else ""
    if one.kind == "verdict":
        return f"{one.reviewer}{about}: {one.value}"
    if one.kind == "choice":
        named = {"first": one.column, "second": one.other}.get(one.value, -1)
        return f"{one.reviewer}: " + (f"prefers {labels[named]}" if 0 <= named < len(labels) else "a tie")
    return f"{one.reviewer}{about}:" + (f" “{one.quote}”:" if one.quote else "") + f" {one.text}"


def comment_on(
    example_id: str, texts: Mapping[str, str], *, reviewer: str = "", table_id: str = "", column: int = -1
) -> None:
    """Draw a form for a comment on a row, or on words of one of `texts` ("answer", "prompt")."""
    if not rights.may_comment():
        return
    turn = state.COMMENT_TURN.get(0)
    with st.expander("Comment", key=state.COMMENT_OPEN(example_id).name):
        who = reviewer or st.text_input(
            "Your name", key=state.COMMENT_NAME.name, persist_state="session", max_chars=60, width=220
        )
        quote = st.text_input(
            "Words that it is about (copied from the text; empty: all of it)",
            key=state.COMMENT_QUOTE(example_id, turn).name,
        )
        text = st.text_area("Comment", key=state.COMMENT_TEXT(example_id, turn).name, height=80)
        if st.button("Keep the comment", key=state.COMMENT_KEEP(example_id).name):
            try:
                place, start, stop = found_in(quote or "", texts)
                library.workspace().reviews.say(
                    Opinion(
                        "comment", example_id, who or "", "", text or "", table_id, column,
                        place=place, start=start, stop=stop, quote=(quote or "").strip()[:500],
                    )
                )  # fmt: skip
            except AppError as error:
                problem.show_error(error)
                return
            state.COMMENT_TURN.set(turn + 1)
            st.rerun()


def found_in(quote: str, texts: Mapping[str, str]) -> tuple[str, int, int]:
    """(name in `texts`, start, stop) of the quoted words; ("", 0, 0) for none. Raises: AppError if not there."""
    words = quote.strip()
    if not words:
        return "", 0, 0
    for name, text in texts.items():
        at = text.find(words)
        if at >= 0:
            return name, at, at + len(words)
    listed = " or ".join(NAMES[name] for name in texts)
    raise AppError(f"These words do not stand in {listed}.", hint="Copy them from there, to the letter.")
