"""One example to write on: prompt, target, variables, and every version that came of it."""

import streamlit as st

from core.errors import AppError
from core.ui.asking import answering, example_menu, parameters, prompt_box, versions
from core.ui.editor_page import first, form, side
from core.ui.shell import frame, library, model_box, problem

frame.begin("Editor", "Change an example; every version is kept.")

if library.empty():
    first.draw()
    st.stop()
example = example_menu.draw()
spec, params = model_box.chosen(), parameters.params()
answer = answering.current(example, prompt_box.sent(example.prompt, example), spec, params)

left, right = st.columns([55, 45], gap="medium")
with left:
    draft, pressed = form.draw(example, busy=answer is not None and answer.writing)
    if pressed:
        try:
            fields = {**draft.fields, **prompt_box.fields(example)}
            kept = versions.keep(example, draft.prompt, target=draft.target, fields=fields)
            if pressed != "run" and kept.id == example.id:
                st.info("Nothing has changed yet, so there is nothing to add.")
                st.stop()
            if pressed == "run":
                answering.start(kept, kept.prompt, prompt_box.sent, spec, params)
            library.open_example(kept.id)
            if pressed == "compare":
                st.session_state["versions"] = [example.id, kept.id]
                st.switch_page("pages/compare_prompts.py")
            st.rerun()
        except AppError as error:
            problem.show(error)
with right:
    side.draw(example, draft, answer)
