"""What is put before everybody when the process starts: the sample prompts, and the operator's datasets
(`DATASETS=name:path,…`).

One that cannot be read does not stop the app: what was read of it before stays, or else it stands in the
list, empty, with the reason. A file that has not changed since the last start is not read again. Reading
goes on beside the first page, which waits for it a moment only.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets import Bounds, load_startup, parse_datasets, samples
from core.errors import AppError
from core.records import digest
from core.settings import Settings

if TYPE_CHECKING:
    from core.store.store import Store

SAMPLES = "samples"
"""The id of the dataset that holds the sample prompts."""
WAIT_SECONDS = 2.0
logger = logging.getLogger(__name__)


def seed_samples(store: Store) -> None:
    """Put the samples into the store's shared datasets."""
    store.seed(SAMPLES, "Sample prompts", samples.load(), origin="data/prompts/sample_prompts.jsonl")


def seed(store: Store, chosen: Settings) -> threading.Thread:
    """Read every dataset into the store's shared ones, in a thread of its own; wait for it a moment."""
    thread = threading.Thread(target=_seed, args=(store, chosen), name="whence-datasets", daemon=True)
    thread.start()
    thread.join(WAIT_SECONDS)
    return thread


def _seed(store: Store, chosen: Settings) -> None:
    try:
        listed = parse_datasets(chosen.datasets)
    except AppError as error:
        logger.warning("%s", error)
        return
    for name, where in listed:
        try:
            _one(store, name, where, Bounds.of(chosen))
        except Exception:  # nobody waits for this thread: the log must have it
            logger.exception("DATASETS, %s: not read", name)


def _one(store: Store, name: str, where: str, bounds: Bounds) -> None:
    dataset_id, origin = f"data-{digest(name)[:12]}", _origin(where)
    held = store.origin_of(dataset_id)
    if held == origin and origin != where:
        return
    try:
        loaded = load_startup(where, bounds, name=name)
    except AppError as error:
        logger.warning("DATASETS, %s: %s", name, error)
        if held is None:
            store.seed(dataset_id, name, (), origin=where, problems=[(0, str(error))])
        return
    problems = [(found.line, found.reason) for found in loaded.problems]
    store.seed(dataset_id, name, loaded.examples, origin=origin, problems=problems)


def _origin(where: str) -> str:
    """`where`, with size and time of change for a file; the bare address for what has none."""
    try:
        facts = Path(where).expanduser().stat()
    except (OSError, ValueError):
        return where
    return f"{where} ({facts.st_size:,} bytes, changed {facts.st_mtime_ns})"
