"""Whether a person is there: what happens to their jobs when the tab is closed, and when they are back in time.

What only a view wanted ends at once. An answer that is being written gets `GRACE_SECONDS`, because a connection
may be lost for a moment; work over a dataset goes on to its end. Knows no Streamlit.
"""

from __future__ import annotations

import threading

from core.jobs import JobQueue

GRACE_SECONDS = 30.0
_leaving: dict[str, threading.Timer] = {}


class Presence:
    """One browser session at a queue."""

    def __init__(self, jobs: JobQueue, name: str) -> None:
        self.jobs, self.name = jobs, name

    def came(self) -> None:
        """The person is there (again)."""
        timer = _leaving.pop(self.name, None)
        if timer is not None:
            timer.cancel()

    def left(self) -> None:
        """The tab is closed, or its connection lost."""
        self.jobs.leave(self.name, view_only=True)
        timer = threading.Timer(GRACE_SECONDS, self.gone)
        timer.daemon = True
        _leaving[self.name] = timer
        timer.start()

    def gone(self) -> None:
        """The person has not come back."""
        _leaving.pop(self.name, None)
        self.jobs.leave(self.name)
