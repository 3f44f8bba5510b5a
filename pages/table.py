"""Every row of a dataset through versions of a prompt and models: who is right, who is better, and where it turned."""

import streamlit as st

from core.ui.asking import row_choice
from core.ui.shell import copy_link, frame, table_choice
from core.ui.table_page import asking, downloads, figures, improving, one_row, setup
from core.ui.table_page import rows as table_rows

frame.begin(
    "Which version wins?",
    "Every row of a dataset through each version of a prompt, checked and compared.",
    trade="Prompt table",
)

with st.container(horizontal=True, vertical_alignment="bottom"):
    rows = row_choice.choose_rows("table")
    table = table_choice.choose_table(rows.dataset, with_new=True)
    copy_link.button()
if rows.examples:
    with st.expander("New table", expanded=table is None):
        setup.ask_for_table(rows)
else:
    st.info("There are no rows here. Choose others, change the search, or load some under *Dataset*.")
if table is None:
    st.stop()

running = asking.draw_jobs(table)
made = table_choice.loaded(table)
if not running:
    asking.offer_the_rest(table, made)
if not made.rows:
    st.info("The rows of this table are gone.")
    st.stop()
reading = figures.choose_reading(made)
figures.draw_figures(made, reading)
st.subheader("Row by row", anchor=False)
picked = table_rows.choose_row(made.as_it_is, reading)
if picked is not None:
    one_row.draw_row(made, table.id, picked, reading.baseline)
if made.answered and not running:
    improving.draw_improving(table, made, reading)
downloads.draw_downloads(table, made, reading)
