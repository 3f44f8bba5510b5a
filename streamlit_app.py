"""The page list and the shared frame; everything else is a page or in `core`.

`streamlit run` finds `app` and serves it; for every drawing of a page it runs this file as `__main__`.
"""

import streamlit as st
from streamlit.navigation.page import StreamlitPage
from streamlit.starlette import App

from core import plugins
from core.ui.shell import frame
from core.ui.web import server


def pages() -> dict[str, list[StreamlitPage]]:
    """Every page under its heading; those of other packages come last."""
    more = [st.Page(one.draw, title=one.title, icon=one.icon, url_path=one.name) for one in plugins.pages()]
    return {
        "One prompt": [
            st.Page(
                "pages/salience.py",
                title="Why this answer?",
                icon=":material/format_ink_highlighter:",
                default=True,
            ),
            st.Page("pages/editor.py", title="Editor", visibility="hidden"),
            st.Page("pages/compare_prompts.py", title="What changed?", icon=":material/difference:"),
        ],
        "Many prompts": [
            st.Page("pages/dataset.py", title="Dataset", icon=":material/table_rows:"),
            st.Page("pages/table.py", title="Which version wins?", icon=":material/trophy:"),
            st.Page("pages/review.py", title="What do people say?", icon=":material/rate_review:"),
            st.Page("pages/metrics.py", title="How good are they?", icon=":material/analytics:"),
            st.Page("pages/counterfactuals.py", title="What if?", icon=":material/alt_route:"),
            st.Page("pages/template.py", title="Which part counts?", icon=":material/data_object:"),
        ],
        "Models": [
            st.Page("pages/models.py", title="Models", icon=":material/memory:"),
            st.Page("pages/compare_models.py", title="Do models agree?", icon=":material/compare_arrows:"),
            st.Page("pages/trust.py", title="How far to trust it?", icon=":material/verified:"),
        ],
        **({"More": more} if more else {}),
    }


if __name__ == "__main__":
    frame.run_chosen_page(pages())
else:
    app = App("streamlit_app.py", middleware=server.middleware(), routes=server.ROUTES)
