"""What this person looks at now: work that only another view wanted ends when the page turns to this one.

A page is at `Why this answer?`; a view within it (an answer, say) is named besides. Drawing a page says so
(`frame.begin`), and so does turning to another answer; a fragment that looks again does not.
"""

from __future__ import annotations

from core.jobs import WITHIN
from core.ui.shell import state
from core.ui.shell.services import owner, service


def at(page: str, *within: str) -> None:
    """The person looks at `page`, and at what is `within` it: jobs for other views of this person end."""
    view = WITHIN.join((page, *within))
    state.LOOKING_AT.set(view)
    service().jobs.look(owner(), view)


def closer(*within: str) -> None:
    """The person looks at this within the page that is on the screen."""
    at(page_of(view_on_show()), *within)


def view_on_show() -> str:
    """Where the person is, for the jobs that are asked for there."""
    return state.LOOKING_AT.get("")


def page_of(view: str) -> str:
    """The page that a view is part of, as people read it; empty for what no page asked for."""
    return view.partition(WITHIN)[0]
