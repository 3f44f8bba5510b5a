"""Which models can be chosen, what each can do, and how to add one: here or on another machine."""

import streamlit as st

from core.ui.models_page import found, known, local, real, remote
from core.ui.shell import frame, loading
from core.ui.shell.services import service

frame.begin("Models", "Which model answers, what it can do, and what it needs")

left, right = st.columns([45, 55], gap="large")
with left:
    st.subheader("Models you can choose", anchor=False)
    loading.draw_loading()
    known.draw_model_cards()
with right:
    st.subheader("Add a model", anchor=False)
    if service().settings.mode == "hosted":
        st.info("On this site the operator chooses the models.")
        st.stop()
    here, elsewhere, registry = st.tabs(["On this machine", "On another machine", "Get a real model"])
    with here:
        local.draw_folder_form()
        found.draw_models_found()
    with elsewhere:
        remote.draw_server_form()
    with registry:
        real.draw_real_models()
