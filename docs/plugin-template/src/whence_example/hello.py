"""A page: it says hello."""

from whence.plugins import PluginPage


def _draw() -> None:
    import streamlit as st
    from whence.ui.shell import frame

    frame.begin("Hello?", "A page that another package brings.", trade="example")
    st.write("Hello from a plugin.")


PAGE = PluginPage(name="hello", title="Hello?", draw=_draw)
