"""The page list and the shared frame; everything else is a page or in `core`."""

import streamlit as st

from core.ui import frame

PAGES = [
    st.Page("pages/salience.py", title="Salience", icon=":material/format_ink_highlighter:", default=True),
]

frame.run(PAGES)
