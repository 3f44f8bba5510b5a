"""Change prompts by a rule, run them, and see which changes moved the answer most."""

import streamlit as st

from core.errors import AppError
from core.ui.asking import parameters, row_choice, sending
from core.ui.counterfactuals_page import effects, form, staging
from core.ui.shell import copy_link, frame, job_box, model_box, problem

frame.begin("What if?", "What would the model answer if this were different?", trade="Counterfactuals")

spec, params = model_box.chosen(), parameters.params()


def arrived(result: object) -> None:
    """Whatever job has ended."""
    staging.arrived(result)
    effects.arrived(result)


left, right = st.columns([30, 70], gap="medium")
with left:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rows = row_choice.draw("counterfactuals", with_open=True)
        copy_link.button()
    asked = form.draw()
    if st.button(
        "Make changes",
        type="primary" if staging.current() is None else "secondary",
        disabled=job_box.running("counterfactuals"),
    ):
        try:
            staging.begin(asked, rows.examples, spec, params)
            st.rerun()
        except AppError as error:
            problem.show(error)

with right:
    job_box.draw("counterfactuals", arrived)
    staged = staging.current()
    if staged is None:
        st.info(
            "Choose what to change on the left, then press “Make changes”. Nothing is run before you say so."
        )
        st.stop()
    effects.draw(staged)
    if staged.kept:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            way = sending.draw(spec)
            busy = job_box.running("counterfactuals")
            measured = effects.shown(staged)
            if st.button(
                f"Run {len(staged.kept):,} and rank",
                type="secondary" if measured else "primary",
                disabled=busy,
            ):
                try:
                    effects.begin(staged, spec, params, way)
                    st.rerun()
                except AppError as error:
                    problem.show(error)
            if st.button(f"Add {len(staged.kept):,} to the dataset"):
                try:
                    st.toast(f"{staging.add(staged, rows.dataset.id):,} examples added.")
                except AppError as error:
                    problem.show(error)
    staging.draw(staged, measured=effects.shown(staged))
