"""The operator's datasets (`DATASETS=name:path,…`), put before everybody when the process starts.

One that cannot be read does not stop the app: it stands in the list, empty, with the reason.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from core.datasets import Bounds, load_startup, parse_datasets
from core.errors import AppError
from core.records import digest
from core.settings import Settings

if TYPE_CHECKING:
    from core.store.store import Store

logger = logging.getLogger(__name__)


def seed(store: Store, chosen: Settings) -> None:
    """Read each dataset and put it into the store's shared ones, under its own name."""
    try:
        listed = parse_datasets(chosen.datasets)
    except AppError as error:
        logger.warning("%s", error)
        return
    for name, where in listed:
        try:
            loaded = load_startup(where, Bounds.of(chosen), name=name)
            rows, problems = loaded.examples, [(p.line, p.reason) for p in loaded.problems]
        except AppError as error:
            logger.warning("DATASETS, %s: %s", name, error)
            rows, problems = (), [(0, str(error))]
        store.seed(f"data-{digest(name)[:12]}", name, rows, origin=where, problems=problems)
