"""A page with a heat map of made-up scores that echoes what a click on it means."""

import json

import streamlit as st

from core.figures.heatmap import salience_heatmap
from tests.unit.report.samples import shown

made = shown()
theme = "dark" if st.context.theme.type == "dark" else "light"
event = st.plotly_chart(
    salience_heatmap(made.salience, signed=False, units="nats", theme=theme, selected=made.target),
    theme=None,
    on_select="rerun",
    selection_mode="points",
    config={"displayModeBar": False},
    key="map",
)
points = event.selection.points
st.code(json.dumps([point["customdata"] for point in points]), language=None)
