"""Two to four versions of a prompt on one model: words, answers, and what gained or lost influence."""

import streamlit as st

from core.ui.asking import example_menu, parameters, prompt_box
from core.ui.compare_page import prompts, run, view
from core.ui.shell import frame, model_box, rights
from core.ui.shell.row_names import row_names

frame.begin(
    "What changed?",
    "What a change to the prompt does to the answer, and to its reasons.",
    trade="Compare prompts",
)

left, right = st.columns(2, vertical_alignment="bottom")
with left:
    example = example_menu.choose_example()
with right:
    versions = prompts.choose(example)
if len(versions) < prompts.LEAST:
    st.info("Choose at least two versions. Editing a prompt on the Salience or Editor page makes one.")
    st.stop()

spec = model_box.chosen()
params = parameters.params(*(prompt_box.sent(v.prompt, v) for v in versions), spec=spec)
comparison = run.comparison_on_show("prompts")
called = row_names(versions)
asked = [run.Side(called[v.id], v.id, prompt_box.sent(v.prompt, v), spec) for v in versions]
if comparison is None or not comparison.same(asked, params):
    comparison = run.known_comparison("prompts", asked, params)

busy = comparison is not None and not comparison.answered
if rights.button("Run", type="primary", shortcut="Ctrl+Enter", disabled=busy):
    run.start_comparison("prompts", asked, params)
    st.rerun()

if comparison is None:
    st.info("The model has not answered all of these prompts yet. Press Run.")
prompts.differences(versions, opened=comparison is None)
if comparison is not None:
    view.draw_comparison(comparison)
st.page_link(
    "pages/table.py",
    label="The same over every row of a dataset: Which version wins?",
    icon=":material/trophy:",
)
