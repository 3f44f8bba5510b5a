"""Which section of a prompt template carries the answers, over all rows made from it."""

import streamlit as st

from core.errors import AppError
from core.ui.asking import row_choice, sending
from core.ui.explaining import trust
from core.ui.shell import copy_link, frame, job_box, model_box, problem, rights, state
from core.ui.template_page import view, work

frame.begin(
    "Which part counts?",
    "Which part of a template the answers come from, over many rows.",
    trade="Template",
)

spec = model_box.chosen()
with st.container(horizontal=True, vertical_alignment="bottom"):
    rows = row_choice.choose_rows("template")
    method = view.choose_method()
    way = sending.choose_sending(spec)
    copy_link.button()
proposed = work.default_template(rows.examples)
template = st.text_area(
    "Template",
    proposed,
    key=state.TEMPLATE(rows.dataset.id).name,
    persist_state="session",
    height=160,
    placeholder="Dish: {dish}\nAnalysis:",
    help="{name} stands where the rows differ. Everything else has to be the same in every row.",
)

if proposed and template == proposed and not any(row.fields.get("template") for row in rows.examples):
    st.caption("Read off the rows: what they share, with a name where they differ. Change it as you like.")

if not job_box.draw_job(work.JOB):
    try:
        if not rows.examples:
            raise AppError("There are no rows here.", hint="Choose others, or change the search.")
        if not (template or "").strip():
            st.info("Write the template that the rows were made from, with {name} where they differ.")
            st.stop()
        fitting = work.fitting(template or "", rows.examples)
        found = work.known_sections(template or "", fitting, method.name, spec, way)
        left = len(fitting) - (len(found.ids) if found else 0)
        if left:
            st.caption(
                f"{len(fitting):,} of {len(rows.examples):,} rows fit the template; "
                f"{left:,} are not explained yet."
            )
            if rights.button(f"Explain {left:,} rows", type="primary"):
                work.begin_explaining(template or "", fitting, method.name, spec, way)
                st.rerun()
        if found is not None:
            view.draw_section_shares(found, {row.id: row for row in fitting}, template or "")
            trust.draw_trust(method, spec)
    except AppError as error:
        problem.show_error(error)
