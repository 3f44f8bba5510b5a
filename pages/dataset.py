"""All examples: load, search, star, slice, run the model on them, take them away."""

import streamlit as st

from core.ui.asking import row_choice
from core.ui.dataset_page import checking, grid, importing, loading, narrow, rows, running
from core.ui.dataset_page import table as tables
from core.ui.shell import copy_link, frame, library, state

frame.begin("Dataset", "All your examples. Find the odd ones, and run the model on as many as you like.")

workspace, dataset = library.workspace(), library.dataset()
table = tables.load(workspace, dataset.id)

with st.container(horizontal=True, vertical_alignment="bottom"):
    listed = {found.id: found for found in workspace.datasets.all()}
    chosen = st.selectbox(
        "Dataset",
        list(listed),
        index=list(listed).index(dataset.id),
        format_func=lambda name: f"{listed[name].name} ({grid.counted(listed[name].rows)})",
        key=state.OPEN_DATASET(dataset.id).name,
        width=420,
    )
    loading.draw_load_menu()
    checking.draw_checks_menu(workspace, dataset)
    shown = [] if importing.waiting() else grid.columns(table, dataset.id)
    copy_link.button()
if chosen != dataset.id:
    library.open_dataset(chosen)
    st.rerun()

if loading.step():
    st.stop()

loading.tell_what_was_loaded()
places = narrow.narrow_rows(table, workspace, dataset.id, [name for name in table.columns if name != "id"])
with st.container(horizontal=True):
    with st.container(width="stretch", key=grid.SIDE):
        picked = grid.choose_rows(table, places, shown)
    if len(picked) == 1:
        with st.container(width=rows.PANE_WIDTH, border=True, height=grid.HEIGHT, key="row-pane"):
            rows.texts(workspace, dataset, table, picked)
left = table["id"].iloc[places].tolist()
row_choice.remember(dataset.id, picked, left)
if not len(table):
    st.info("This dataset has no examples yet. Load a file, or add some in the Editor.")
elif not left:
    st.info("No row fits. Change the search or the filters.")

rows.draw_row_actions(workspace, dataset, table, picked, left)
running.draw_runs(workspace, dataset, picked, left)
checking.progress(workspace, dataset)
