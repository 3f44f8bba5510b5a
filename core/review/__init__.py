"""What people say about answers: verdicts, comments on a span, blind choices between two; how far they agree.

Records and figures only: `core.store.reviews` keeps them, and the page *What do people say?* asks for them.
"""

from __future__ import annotations

from core.review.agreement import Agreement, agreements, cohens_kappa, krippendorffs_alpha
from core.review.opinion import CHOICES, VERDICTS, Opinion, newest
from core.review.order import open_tasks, swapped
from core.review.preference import Preference, preferences

__all__ = [
    "CHOICES",
    "VERDICTS",
    "Agreement",
    "Opinion",
    "Preference",
    "agreements",
    "cohens_kappa",
    "krippendorffs_alpha",
    "newest",
    "open_tasks",
    "preferences",
    "swapped",
]
