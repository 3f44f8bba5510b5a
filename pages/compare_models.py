"""Two to four models, or precisions of one model, on the same prompt."""

import streamlit as st

from core.errors import AppError
from core.records import Example
from core.ui.asking import example_menu, parameters, prompt_box, versions
from core.ui.compare_page import choice, run, view
from core.ui.shell import frame, library, problem
from core.ui.shell.model_list import title

frame.begin(
    "Do models agree?", "Do other models answer alike, and for the same reason?", trade="Compare models"
)

left, right = st.columns(2, vertical_alignment="bottom")
with left:
    example = example_menu.choose_example()
with right:
    specs = choice.choose_models()
if len(specs) < choice.LEAST:
    st.info("Choose at least two models.")
    st.stop()

params = parameters.params(prompt_box.sent(example.prompt, example))


def sides(of: Example) -> list[run.Side]:
    return [run.Side(title(spec), of.id, prompt_box.sent(of.prompt, of), spec) for spec in specs]


comparison = run.comparison_on_show("models")
asked = sides(example)
if comparison is None or not comparison.same(asked, params):
    comparison = run.known_comparison("models", asked, params)
    if comparison is None and choice.ships(specs):
        comparison = run.start_comparison("models", asked, params)

waiting = comparison is None or not comparison.answered
with st.expander("The prompt", expanded=comparison is None):
    text, pressed = prompt_box.edit_prompt(example, busy=comparison is not None and waiting)
    if pressed:
        try:
            opened = versions.keep_version(
                example, text, edit="edited while comparing models", fields=prompt_box.fields(example)
            )
            asks = parameters.params(prompt_box.sent(opened.prompt, opened))
            run.start_comparison("models", sides(opened), asks)
            library.open_example(opened.id)
            st.rerun()
        except AppError as error:
            problem.show_error(error)
if comparison is None:
    st.info("These models have not answered this prompt yet. Press Run.")
else:
    view.draw_comparison(comparison)
