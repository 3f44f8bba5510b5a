"""People judge the answers of a table, blind where two are compared; how far they agree, also with the checks."""

import streamlit as st

from core.ui.review_page import card, queue, results
from core.ui.shell import copy_link, frame, library
from core.ui.shell.table_choice import choose_table, loaded

frame.begin(
    "What do people say?", "Judge answers, choose between two blind, comment; see who agrees.", trade="Review"
)

dataset = library.dataset()
with st.container(horizontal=True, vertical_alignment="bottom"):
    table = choose_table(dataset)
    copy_link.button()
if table is None:
    if not dataset.rows:
        st.info("This dataset has no examples yet. Load some under *Dataset*.")
        st.stop()
    st.info("There is no table of answers for this dataset yet. *Which version wins?* makes one.")
    st.page_link("pages/table.py", label="Which version wins?", icon=":material/trophy:")
    st.stop()

made = loaded(table).as_it_is
said = library.workspace().reviews.of_table(table.id)
asked = queue.choose_queue(table, made, said)
if asked is not None:
    card.draw_next(asked)
st.divider()
results.draw_results(made, said)
