"""Change prompts by a rule, run them, and see which changes moved the answer most."""

import streamlit as st

from core.errors import AppError
from core.ui.asking import parameters, row_choice, sending
from core.ui.counterfactuals_page import effects, form, staging
from core.ui.shell import copy_link, frame, job_box, model_box, problem, rights

frame.begin("What if?", "What would the model answer if this were different?", trade="Counterfactuals")

spec = model_box.chosen()


def arrived(result: object) -> None:
    """Whatever job has ended."""
    staging.take_over_made(result)
    effects.take_over_measured(result)


left, right = st.columns([30, 70], gap="medium")
with left:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rows = row_choice.choose_rows("counterfactuals", with_open=True)
        copy_link.button()
    params = parameters.params(*(e.prompt for e in rows.examples), spec=spec)
    asked = form.choose_generator()
    if rights.button(
        "Make changes",
        type="primary" if staging.staged_now() is None else "secondary",
        disabled=job_box.is_running("counterfactuals"),
    ):
        try:
            staging.begin_making(asked, rows.examples, spec, params)
            st.rerun()
        except AppError as error:
            problem.show_error(error)

with right:
    job_box.draw_job("counterfactuals", arrived)
    staged = staging.staged_now()
    if staged is None:
        st.info(
            "Choose what to change on the left, then press “Make changes”. Nothing is run before you say so."
        )
        st.stop()
    effects.draw_effects(staged)
    if staged.kept:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            way = sending.choose_sending(spec)
            busy = job_box.is_running("counterfactuals")
            measured = effects.is_measured(staged)
            if rights.button(
                f"Run {len(staged.kept):,} and rank",
                type="secondary" if measured else "primary",
                disabled=busy,
            ):
                try:
                    effects.begin_measuring(staged, spec, params, way)
                    st.rerun()
                except AppError as error:
                    problem.show_error(error)
            if rights.button(f"Add {len(staged.kept):,} to the dataset"):
                try:
                    st.toast(f"{staging.add_to_dataset(staged, rows.dataset.id):,} examples added.")
                except AppError as error:
                    problem.show_error(error)
    staging.draw_staged(staged, measured=effects.is_measured(staged))
