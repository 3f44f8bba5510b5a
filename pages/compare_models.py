"""Two to four models, or precisions of one model, on the same prompt."""

import streamlit as st

from core.errors import AppError
from core.ui import frame, library, problem
from core.ui.compare_page import choice, run, view
from core.ui.salience_page import editor, header, session

frame.begin("Compare models", "Do other models answer alike, and for the same reason?")

example = header.draw()
specs = choice.draw()
if len(specs) < choice.LEAST:
    st.info("Choose at least two models.")
    st.stop()

params = editor.params()
comparison = run.current()
prompt = editor.sent(example.prompt)
if comparison is None or not comparison.same(prompt, params, specs):
    comparison = run.known(example.id, prompt, params, specs)

left, right = st.columns([32, 68], gap="medium")
with left:
    text, pressed = editor.draw(example, busy=comparison is not None and not comparison.answered)
    if pressed:
        try:
            opened = session.keep(example, text)
            run.start(opened.id, editor.sent(text), params, specs)
            library.open_example(opened.id)
            st.rerun()
        except AppError as error:
            problem.show(error)
with right:
    view.draw(comparison)
