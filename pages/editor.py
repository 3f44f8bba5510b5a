"""The Editor's old address: writing is part of the page that answers why."""

import streamlit as st

from core.ui.shell import frame

frame.begin()
st.switch_page("pages/salience.py", query_params=dict(st.query_params))
