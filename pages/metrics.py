"""How good answers are over many examples, with intervals, and whether two systems really differ."""

import streamlit as st

from core.errors import AppError
from core.metrics import LANGUAGES
from core.ui.asking import answerers, row_choice
from core.ui.metrics_page import charts, downloads, missing, results, systems, work
from core.ui.shell import copy_link, frame, job_box, library, problem, state

frame.begin("How good are they?", "The answers to many examples, with intervals.", trade="Metrics")

with st.container(horizontal=True, vertical_alignment="bottom"):
    rows = row_choice.choose_rows("metrics")
    every = library.workspace().examples.of(rows.dataset.id)
    edits = answerers.edits(rows.examples, every)
    chosen = systems.choose_systems(library.workspace(), rows.dataset.id, every, bool(edits))
    labels = dict(LANGUAGES)
    language = st.selectbox(
        "Language",
        list(labels),
        format_func=labels.__getitem__,
        key=state.METRICS_LANGUAGE.name,
        persist_state="session",
        width=190,
        help="Decides how BLEU cuts text into words.",
    )
    copy_link.button()

if not job_box.draw_job("metrics"):
    try:
        columns = [work.column(system, rows, edits, language or "auto") for system in chosen]
    except AppError as error:
        problem.show_error(error)
        st.stop()
    missing.draw_missing_answers(columns, rows, language or "auto")
    picked = results.choose_metric(columns)
    downloads.draw_metric_downloads(columns, rows)
    results.versus(columns)
    charts.draw_metric_charts(columns, rows, picked)
    results.how_computed(columns)
