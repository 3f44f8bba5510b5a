"""How far each method can be believed: against causes that are known, and on the example at hand."""

import streamlit as st

from core.errors import AppError
from core.ui import example_menu, frame, model_box, problem
from core.ui.salience_page import editor, session
from core.ui.trust_page import benchmark, curve

frame.begin("Trust", "How far can these explanations be believed?")

spec = model_box.chosen()
st.subheader("Where the cause is known", anchor=False)
benchmark.draw(spec)

st.subheader("On your own example", anchor=False)
example = example_menu.draw()
try:
    sent = editor.sent(example.prompt, example)
    curve.draw(session.current(example, sent, spec, editor.params()))
except AppError as error:
    problem.show(error)
