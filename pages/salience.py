"""The main page: a prompt, the model's answer, and which parts of the prompt the answer came from."""

import streamlit as st

from core.errors import AppError
from core.ui.asking import answering, example_menu, parameters, prompt_box
from core.ui.salience_page import view
from core.ui.shell import frame, library, model_box, problem

frame.begin("Why this answer?", "Which part of the prompt made the model say that?", trade="Salience")

example = example_menu.draw()
spec, params = model_box.chosen(), parameters.params()
answer = answering.current(example, prompt_box.sent(example.prompt, example), spec, params)
reply = answer.generation.text if answer is not None and answer.generation is not None else ""

left, right = st.columns([32, 68], gap="medium")
with left:
    busy, asked = (answer.writing, answer.sent) if answer is not None else (False, None)
    text, pressed = prompt_box.draw(example, busy=busy, asked=asked, reply=reply)
    if pressed:
        try:
            kept = answering.start(example, text, prompt_box.sent, spec, params, prompt_box.fields(example))
            library.open_example(kept.id)
            st.rerun()
        except AppError as error:
            problem.show(error)
with right:
    view.draw(answer)
