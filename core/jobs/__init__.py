"""Work in the background: one worker thread a lane (a device); progress, queue position, Stop and a result.

A *job* is what one owner (a browser session, a web request) waits for; the *work* behind it is shared by
all owners who asked for the same key while it was in flight, and ends early only when the last of them has
left. Each job says who wants it, for which view and until when, so that what nobody looks at any more ends;
long work goes step by step (a generator), and others have turns between two steps. Work of a lane never
overlaps, so a model is never used by two threads. This module knows no model, no page and no store; it starts
threads only when something is submitted.
"""

from core.jobs.job import FINISHED, Job, JobContext, Listed, State, Until, person_of
from core.jobs.queue import WITHIN, JobQueue

__all__ = ["FINISHED", "WITHIN", "Job", "JobContext", "JobQueue", "Listed", "State", "Until", "person_of"]
