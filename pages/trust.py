"""How far each method can be believed: against causes that are known, and on the example at hand."""

import streamlit as st

from core.errors import AppError
from core.ui.asking import example_menu, parameters, prompt_box
from core.ui.shell import frame, model_box, problem
from core.ui.trust_page import benchmark, curve, natural, own_figures

frame.begin("How far to trust it?", "How often an explanation is right, where that is known.", trade="Trust")

spec = model_box.chosen()
st.subheader("Where the cause is known", anchor=False)
natural.draw_natural(spec)
own_figures.draw_own_figures(spec)

with st.expander("Every method, in the bundled model’s own grammar"):
    benchmark.draw_benchmark(spec)

st.subheader("On your own example", anchor=False)
example = example_menu.choose_example()
try:
    curve.draw_curve(
        prompt_box.answer_to(
            example, spec, parameters.params(prompt_box.sent(example.prompt, example), spec=spec)
        )
    )
except AppError as error:
    problem.show_error(error)
