"""Pictures: pure functions from records to `plotly.graph_objects.Figure`, one module a picture.

Nothing is imported here, so that `core.figures.palette` costs no plotly. Every figure takes a `theme`, has a
transparent background, holds no markup from outside (`core.figures.style.label`) and puts into `customdata`
what a click on it means.
"""
