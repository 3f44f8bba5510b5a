"""Which models can be chosen, what each can do, and how to add one: here or on another machine."""

import streamlit as st

from core.ui.models_page import known, loading, local, remote
from core.ui.shell import frame
from core.ui.shell.services import service

frame.begin("Models", "Which model answers, what it can do, and what it needs")

left, right = st.columns([45, 55], gap="large")
with left:
    st.subheader("Models you can choose", anchor=False)
    loading.draw()
    known.draw()
with right:
    st.subheader("Add a model", anchor=False)
    if service().settings.mode == "hosted":
        st.info("On this site the operator chooses the models.")
        st.stop()
    here, elsewhere = st.tabs(["On this machine", "On another machine"])
    with here:
        local.draw()
    with elsewhere:
        remote.draw()
