"""The slim bar on top: which example and version, which model, how it is cut and explained, and what to share."""

from __future__ import annotations

import uuid

import streamlit as st

from core.errors import AppError
from core.records import Example
from core.ui.asking import prompt_box, versions
from core.ui.explaining import controls
from core.ui.salience_page import timeline, tour
from core.ui.shell import copy_link, library, problem, rights, state
from core.ui.shell.row_names import row_names

NEW = "new prompt"


def draw_why_bar() -> Example:
    """Draw the bar. Returns the example that is open."""
    versions.settle_boxes()
    if library.empty():
        st.info(problem.plain(f"“{library.dataset().name}” has no examples yet."))
        if rights.button("Write its first prompt", type="primary"):
            library.open_example(_new().id)
            st.rerun()
        st.stop()
    current = library.example()
    with st.container(key="why-bar", horizontal=True, vertical_alignment="center", gap="small"):
        _examples(current)
        timeline.draw_version_menu(current)
        if rights.button("New prompt", icon=":material/add:", type="tertiary"):
            library.open_example(_new().id)
            st.rerun()
        st.space("stretch")
        controls.draw_map_controls(slim=True)
        with st.popover("Settings"):
            _target(current)
            prompt_box.advanced(current)
            _draft(current)
            tour.draw_tour_button()
        with st.popover("Share"):
            copy_link.button()
    return current


def _examples(current: Example) -> None:
    listed = library.examples()
    options = list(listed) if current.id in listed else [current.id, *listed]
    names = row_names([current, *listed.values()] if current.id not in listed else listed.values())
    chosen = st.selectbox(
        "Example",
        options,
        index=options.index(current.id),
        format_func=lambda one: names.get(one, one),
        key=state.OPEN_EXAMPLE(current.id).name,
        width=230,
        label_visibility="collapsed",
    )
    if chosen != current.id:
        library.open_example(chosen)
        st.rerun()


def _new() -> Example:
    """An example of one's own, to be written on."""
    dataset = library.dataset()
    blank = Example(f"prompt-{uuid.uuid4().hex[:6]}", "Write your prompt here.", None, "written")
    return library.workspace().examples.add_one(dataset.id, blank)


def _draft(example: Example) -> None:
    with st.container(horizontal=True):
        if rights.button("Keep without running", help="The text and target become a version as they are."):
            try:
                text, fields = prompt_box.filled(example, versions.prompt_draft(example))
                kept = versions.keep_version(
                    example,
                    text,
                    target=versions.draft_of(example, "target"),
                    fields={**fields, **prompt_box.fields(example)},
                )
            except AppError as error:
                problem.show_error(error)
                return
            if kept.id == example.id:
                st.info("Nothing has changed yet, so there is nothing to keep.")
                return
            library.open_example(kept.id)
            st.rerun()
        rights.button(
            "Back to what is kept",
            type="tertiary",
            on_click=versions.reset,
            args=(example,),
            help="Throws away what was typed since.",
        )


def _target(example: Example) -> None:
    try:
        versions.target_box(
            example,
            height=90,
            help_="The answer that you hope for. Versions are judged by it, and the Metrics page compares with it.",
        )
    except AppError as error:
        problem.show_error(error)
