"""What pages, the server and scripts ask for: answers, scores and salience, as jobs, each computed once.

Every question is looked up by content first: in memory, in the store, in the bundle that ships in
`data/precomputed`. Only what is nowhere becomes a job, and only a job imports torch, so a first page paints
before it. This package knows no page, no tensor and no formula; it decides what runs, in which order, and
what is kept.
"""

from core.service.answers import Answers
from core.service.base import BULK, CLICK, MEMORY_BYTES, NORMAL
from core.service.causes import Causes
from core.service.maps import Maps
from core.service.recent import Recent
from core.service.together import Together, batches

__all__ = ["BULK", "CLICK", "MEMORY_BYTES", "NORMAL", "Recent", "Service", "batches"]


class Service(Answers, Maps, Causes, Together):
    """One a process. Cheap to make: the database is opened and a model loaded at first use."""
