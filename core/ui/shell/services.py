"""The one `Service` of this process (cached by `st.cache_resource`, shared by all) and who is asking."""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import AppError
from core.settings import settings
from core.ui.shell import state
from core.ui.shell.presence import Presence

if TYPE_CHECKING:
    from core.service import Service


logger = logging.getLogger(__name__)


@st.cache_resource(show_spinner=False, on_release=lambda made: made.close())
def service() -> Service:
    """One `ModelManager`, one worker a device, one store with the sample prompts in it."""
    from core.service import Service
    from core.store import seeding

    made = Service(settings())
    seeding.seed_samples(made.store)
    seeding.seed(made.store, settings())
    return made


def readiness() -> str:
    """Code of what is wrong with the database or the disk, "" when all is well. For any thread."""
    try:
        fault = service().storage_fault()
    except AppError as error:
        fault = error
    if fault is not None:
        logger.error("Not ready: %s", fault)
    return fault.code if fault is not None else ""


def owner() -> str:
    """Name of this browser session, for whose jobs are whose; they end some time after the session."""
    name = state.OWNER.setdefault(uuid.uuid4().hex)
    _presence(name)
    return name


@st.cache_resource(scope="session", show_spinner=False, on_release=lambda here: here.left())
def _presence(name: str) -> Presence:
    """Goes when the tab is closed or the connection is lost; comes again when that person is back."""
    here = Presence(service().jobs, name)
    here.came()
    return here
