"""What the address asks for, told apart from what it only says still.

With every request the browser sends the address that it shows. A request that it sent before it heard of the newest
address names what this session has left since; taken at its word, it would turn the page back to an earlier version,
under somebody's hands. So a value that this session itself has replaced counts only where the person went Back or
Forward. `put` and `drop` are the one way to write these names.
"""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.ui.shell import state

REMEMBERED = 200
"""Values of a name that are known as left; the oldest go."""


def asked(name: str, now: str) -> str:
    """What the address asks for under `name`: `now`, what is open, unless a person came or went there with another.

    "" where there is neither.
    """
    said = str(st.query_params.get(name) or "")
    if not said or said == now:
        return said or now
    left = _left(name)
    if said in left and not _went_back():
        _write(name, now)
        return now
    left.pop(said, None)
    return said


def put(name: str, value: str) -> None:
    """Write `value` into the address; what stood there is left."""
    before = str(st.query_params.get(name) or "")
    if before and before != value:
        _leave(name, before)
    _left(name).pop(value, None)
    _write(name, value)


def drop(name: str) -> None:
    """Take `name` out of the address; what stood there is left."""
    if before := str(st.query_params.get(name) or ""):
        _leave(name, before)
    _write(name, "")


def _write(name: str, value: str) -> None:
    if not value:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != value:
        st.query_params[name] = value


def _left(name: str) -> dict[str, None]:
    """In the order in which they were left."""
    return state.ADDRESSES_LEFT.setdefault({}).setdefault(name, {})


def _leave(name: str, value: str) -> None:
    left = _left(name)
    left.pop(value, None)
    left[value] = None
    if len(left) > REMEMBERED:
        del left[next(iter(left))]


def _went_back() -> bool:
    context = get_script_run_ctx(suppress_warning=True)
    return bool(context is not None and context.is_history_navigation)
