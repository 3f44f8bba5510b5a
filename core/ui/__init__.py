"""Everything that draws: the only package that imports Streamlit. It calls `core.service` and never torch."""
