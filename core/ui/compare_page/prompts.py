"""Which versions of a prompt are compared, and how their words differ."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.compare import word_diff
from core.errors import AppError
from core.records import Example
from core.ui.shell import diff, library, problem, state
from core.ui.shell.row_names import row_names

LEAST, MOST = 2, 4
LINKED = state.VERSIONS.name
"""In the address, too."""


def choose(current: Example) -> list[Example]:
    """Draw the menu of versions and examples. Returns the chosen ones in order; the link holds their ids."""
    here = library.workspace()
    family = [e.id for e in here.examples.lineage(current.id)]
    listed = library.examples()
    wanted = _wanted(current, family, list(listed))
    options = list(dict.fromkeys([*wanted, *family, *listed]))
    called = row_names([*listed.values(), *_each([one for one in options if one not in listed])])
    names = st.multiselect(
        "Versions to compare",
        options,
        format_func=lambda one: called.get(one, one),
        default=wanted,
        max_selections=MOST,
        key=state.VERSIONS_OF(current.id).name,
        help="Two to four: versions of one prompt, or any other examples. The first is what the others are "
        "set against.",
    )
    state.VERSIONS.set(names)
    if len(names) >= LEAST:
        st.query_params[LINKED] = ",".join(names)
    return here.examples.of(library.dataset().id, names) if _all_here(names, listed) else _each(names)


def _wanted(current: Example, family: Sequence[str], listed: Sequence[str]) -> list[str]:
    """What the last page or the link asks for; else this version and the one that it came from or led to."""
    asked = state.VERSIONS.get() or [n for n in st.query_params.get(LINKED, "").split(",") if n]
    found = [e.id for e in _each(asked[:MOST])]
    if len(found) >= LEAST:
        return found
    if current.parent_id and current.parent_id in family:
        return [current.parent_id, current.id]
    later = [n for n in family if n != current.id][-1:]
    at = listed.index(current.id) if current.id in listed else -1
    return [current.id, *(later or [n for n in listed[at + 1 : at + 2] if n != current.id])]


def _all_here(names: Sequence[str], listed: dict[str, Example]) -> bool:
    return all(name in listed for name in names)


def _each(names: Sequence[str]) -> list[Example]:
    found = []
    for name in names:
        try:
            found.append(library.workspace().examples.get(name))
        except AppError:
            st.caption(problem.plain(f"There is no example {name} here (any more), so it was left out."))
    return found


def differences(versions: Sequence[Example], *, opened: bool) -> None:
    """Each prompt against the first, word by word."""
    first, *others = versions
    called = row_names(versions)
    with st.expander("How the prompts differ", expanded=opened):
        for column, other in zip(st.columns(len(others)), others):
            with column:
                st.markdown(f"**{problem.plain(called[first.id])} → {problem.plain(called[other.id])}**")
                if other.prompt == first.prompt:
                    st.caption("The same prompt.")
                    continue
                diff.draw_diff(word_diff(first.prompt, other.prompt))
