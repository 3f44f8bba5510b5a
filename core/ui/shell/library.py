"""Which workspace, dataset and example the person has open; dataset and example stand in the link.

Prompt text never does. On a hosted site the workspace is no part of the link: a browser is known by its cookie, an
account by its sign-in, and a shared link (`share=…`) holds a token of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.errors import AppError
from core.records import Example
from core.store.seeding import SAMPLES
from core.ui.shell import address, problem, state, visitor
from core.ui.shell.services import service

if TYPE_CHECKING:
    from core.store.dataset_list import Dataset
    from core.store.visitors import SharedLink
    from core.store.workspace import Workspace

SHARE = "share"
"""In the address."""
_OLD = "workspace"
"""In addresses of earlier versions, which were a workspace's only key."""
MENU_LIMIT = 500
"""A menu of examples lists at most this many; the Dataset page finds the others."""


def workspace() -> Workspace:
    """Everybody's own one on a laptop. Hosted: the one that a shared link opens, else the visitor's own."""
    store = service().store
    if not store.hosted:
        return store.workspace()
    shared = _shared()
    if shared is not None:
        return shared[0]
    browser, account = visitor.browser(), visitor.account()
    holder = account or browser
    if holder and (old := st.query_params.pop(_OLD, "")) and not store.visitors.claim(holder, old):
        st.warning(
            "This link is of an earlier version, and its workspace is somebody's already or gone, or you have kept "
            "something here. Ask its owner for a shared link."
        )
    if not holder:
        return _passing()
    found = store.visitors.home(holder, who=visitor.visitor_name(), instead_of=browser if account else "")
    if found.away_seconds:
        state.AWAY_DAYS.set(found.away_seconds / 86_400)
    return found


def _passing() -> Workspace:
    """For a browser that keeps no cookie: a workspace for as long as its page is open."""
    store = service().store
    name = state.WORKSPACE.get()
    try:
        found = store.workspace(name) if name else store.new_workspace()
    except AppError:
        found = store.new_workspace()
    state.WORKSPACE.set(found.id)
    found.who = visitor.visitor_name()
    return found


def passing() -> bool:
    """Whether this visitor's workspace ends with the page, because the browser is not known again."""
    return not visitor.browser() and not visitor.account()


def _shared() -> tuple[Workspace, SharedLink] | None:
    """What the shared link in the address opens; asked each time, so that a revoked link ends at once."""
    token = address.asked(SHARE, state.OPENED_SHARE.get(""))
    if not token:
        return None
    try:
        found = service().store.visitors.shared(token, who=f"{visitor.visitor_name()}, by a shared link")
    except AppError as error:
        leave_share()
        st.warning(problem.in_markdown(error))
        return None
    state.OPENED_SHARE.set(token)
    address.put(SHARE, token)
    return found


def shared_link() -> SharedLink | None:
    """The shared link through which this person looks; None in one's own workspace."""
    found = _shared() if service().store.hosted else None
    return found[1] if found else None


def leave_share() -> None:
    """Go back to one's own workspace."""
    start_anew()
    state.OPENED_SHARE.pop()
    address.drop(SHARE)


def start_anew() -> None:
    """Forget what is open: it is in another workspace, or gone."""
    for key in (state.WORKSPACE, state.DATASET, state.EXAMPLE):
        key.pop()
        address.drop(key.name)


def dataset() -> Dataset:
    """The dataset in the link, or the first one."""
    here = workspace()
    listed = here.datasets.all()
    wanted = address.asked(state.DATASET.name, state.DATASET.get("")) or SAMPLES
    found = next((d for d in listed if d.id == wanted), listed[0])
    open_dataset(found.id)
    return found


def open_dataset(dataset_id: str) -> None:
    """Make `dataset_id` the one that every page shows."""
    state.DATASET.set(dataset_id)
    if dataset_id != SAMPLES:
        address.put(state.DATASET.name, dataset_id)
    else:
        address.drop(state.DATASET.name)


def examples() -> dict[str, Example]:
    """The examples of the open dataset by id, in order, at most `MENU_LIMIT`."""
    here = workspace()
    return {e.id: e for e in here.examples.of(dataset().id, limit=MENU_LIMIT)}


def example() -> Example:
    """The example in the link, or the first of the open dataset."""
    wanted = address.asked(state.EXAMPLE.name, state.EXAMPLE.get(""))
    if wanted:
        try:
            found = workspace().examples.get(wanted)
        except AppError:
            pass
        else:
            open_example(
                found.id
            )  # the menu of pages leads to a bare address; the link has to name what is shown
            return found
    listed = examples()
    if not listed:
        raise AppError(
            "This dataset has no examples yet.",
            hint="Write one in the Editor, or load a file on the Dataset page.",
        )
    return next(iter(listed.values()))


def empty() -> bool:
    """Whether there is no example to show: none in the link, and none in the open dataset."""
    try:
        example()
    except AppError:
        return True
    return False


def open_example(example_id: str) -> None:
    """Make `example_id` the one that every page shows, and put it into the link."""
    state.EXAMPLE.set(example_id)
    address.put(state.EXAMPLE.name, example_id)
