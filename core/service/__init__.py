"""What pages, the server and scripts ask for: answers, scores and salience, as jobs, each computed once.

Every question is looked up by content first: in memory, in the store, in the bundle that ships in
`data/precomputed`. Only what is nowhere becomes a job, and only a job imports torch, so a first page paints
before it. This package knows no page, no tensor and no formula; it decides what runs, in which order, and
what is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.jobs import JobQueue
from core.service.answers import Answers
from core.service.batched import BatchedScores, batches
from core.service.causes import Causes
from core.service.improving import Improving
from core.service.maps import Maps
from core.service.part_tests import PartTests
from core.service.recent import Recent
from core.service.trials import Trials
from core.service.workshop import BULK, CLICK, LATER, MEMORY_BYTES, NORMAL, Workshop
from core.settings import Settings

if TYPE_CHECKING:
    from core.models.manager import ModelManager
    from core.store.store import Store

__all__ = ["BULK", "CLICK", "LATER", "MEMORY_BYTES", "NORMAL", "Recent", "Service", "batches"]


class Service(Workshop):
    """One a process: a workshop, and what can be asked of it.

    Its parts: `answers`, `maps`, `batches`, `causes`, `part_tests`, `trials`, `improving`.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        store: Store | None = None,
        *,
        manager: ModelManager | None = None,
        jobs: JobQueue | None = None,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        super().__init__(settings, store, manager=manager, jobs=jobs, memory_bytes=memory_bytes)
        self.answers = Answers(self)
        self.maps = Maps(self)
        self.batches = BatchedScores(self)
        self.causes = Causes(self)
        self.part_tests = PartTests(self)
        self.trials = Trials(self)
        self.improving = Improving(self, self.answers)
