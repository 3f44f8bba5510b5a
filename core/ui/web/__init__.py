"""What stands between a browser and the pages: allowed names, headers, and the browser's own cookie.

Streamlit's server is plain ASGI (`streamlit.starlette.App`), so these are middleware and one route; the pages know
only `core.ui.shell.library`.
"""
