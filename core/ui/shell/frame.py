"""The frame around every page: navigation, the model in use, the state of the queue.

A page opened by its own address right after a restart is run by Streamlit without `streamlit_app.py`;
`begin()` notices that and lets `streamlit_app.py` draw the whole frame. This module knows no page.
"""

from __future__ import annotations

import runpy
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import StopException

from core.errors import AppError
from core.figures.palette import Theme
from core.settings import ROOT
from core.ui.shell import job_list, keeping, looking, model_box, problem, rights, sharing

ASSETS = Path(__file__).parent / "assets"
SIDEBAR_PX = 224
"""As wide as the style sheet makes it: told from the start, so that the page does not move when that comes."""
_run = threading.local()
"""Set while `streamlit_app.py` draws; Streamlit runs one script at a time in each of its script threads."""


def theme() -> Theme:
    """`light` or `dark`, as the person's browser shows the page."""
    return "dark" if getattr(st.context.theme, "type", None) == "dark" else "light"


def run_chosen_page(pages: Mapping[str, Sequence[Any]]) -> None:
    """Draw the frame around the chosen one of `pages` (headings to `st.Page` objects) and run it."""
    _run.framed = True
    try:
        st.set_page_config(
            page_title="Whence",
            page_icon=str(ASSETS / "whence-icon.svg"),
            layout="wide",
            initial_sidebar_state=SIDEBAR_PX,
        )
        page = st.navigation({heading: list(listed) for heading, listed in pages.items()}, expanded=True)
        st.logo(str(ASSETS / f"whence-{theme()}.svg"), size="large")
        try:
            looking.at(page.title)
            with st.sidebar:
                model_box.choose_model()
                jobs = st.container()
                sharing.draw_sharing()
            rights.tell_what_may_be_done()
            keeping.warn_what_is_not_kept()
            _run_page(page, jobs)
        except AppError as error:
            problem.show_error(error)
    finally:
        _run.framed = False


def _run_page(page: Any, jobs: DeltaGenerator) -> None:
    """Run the page, then list what runs: with what the page has just asked for."""
    try:
        page.run()
    except AppError as error:
        problem.show_error(error)
    except StopException:  # the page has said all that it has to say
        with jobs:
            job_list.draw_job_list()
        raise
    with jobs:
        job_list.draw_job_list()


def begin(title: str = "", purpose: str = "", *, trade: str = "") -> None:
    """First line of every page: the full frame whatever way the page was reached, then its heading.

    `title` is the question that the page answers, `trade` what the field calls it, `purpose` one plain
    sentence saying what the page is for. A page without `title` has a heading of its own.
    """
    if not getattr(_run, "framed", False):
        runpy.run_path(str(ROOT / "streamlit_app.py"), run_name="__main__")
        st.stop()
    if not title:
        return
    with st.container(key="page-heading", horizontal=True, vertical_alignment="bottom"):
        st.header(title, anchor=False, width="content")
        if said := "  ·  ".join(filter(None, (trade and f"**{trade}**", purpose))):
            st.caption(said, width="stretch")
