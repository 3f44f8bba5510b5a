"""The Editor in a dataset without examples: two boxes and a button for its first one."""

from __future__ import annotations

import uuid

import streamlit as st

from core.errors import AppError
from core.records import Example
from core.ui.shell import library, problem


def draw() -> None:
    """Draw the form; what is added becomes the open example."""
    dataset = library.dataset()
    st.info(problem.plain(f"“{dataset.name}” has no examples yet. Write its first one."))
    with st.form("first example", border=False):
        prompt = st.text_area("Prompt", height=340)
        target = st.text_area(
            "Target (optional)",
            height=90,
            help="The answer that you hope for. The Metrics page compares answers with it.",
        )
        pressed = st.form_submit_button("Add", type="primary")
    if not pressed:
        return
    try:
        if not (prompt or "").strip():
            raise AppError("The prompt is empty.", hint="Write something for the model to answer.")
        example = Example(f"example-{uuid.uuid4().hex[:6]}", prompt or "", target or None)
        library.open_example(library.workspace().add_example(dataset.id, example).id)
    except AppError as error:
        problem.show(error)
        return
    st.rerun()
