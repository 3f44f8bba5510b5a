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

from core.datasets import Bounds, load_startup, parse_datasets, place_of, samples, stories
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
    """Put the samples, and the stories of the real models, into the store's shared datasets."""
    store.seed(SAMPLES, "Sample prompts", samples.load(), origin="data/prompts/sample_prompts.jsonl")
    told = [story.example for story in stories.load()]
    store.seed(stories.DATASET, stories.TITLE, told, origin="data/prompts/real_models.jsonl")


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
    dataset_id, origin = f"data-{digest(name)[:12]}", _origin(where, bounds)
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
    cut = loaded.counts.used < loaded.counts.rows or not loaded.counts.whole
    logger.log(logging.WARNING if cut else logging.INFO, "DATASETS, %s: %s", name, loaded.counts.sentence())
    for note in loaded.notes:
        logger.info("DATASETS, %s: %s", name, note)
    problems = [(found.line, found.reason) for found in loaded.problems]
    store.seed(dataset_id, name, loaded.examples, origin=origin, problems=problems, imported=loaded.kept())


def _origin(where: str, bounds: Bounds) -> str:
    """`where`, with what decides how it reads: size and time of change of the file and of the plan beside it, and
    the limits; the bare address for what has no file."""
    try:
        place = place_of(where)
        facts = Path(place.where).expanduser().stat()
        plan = f", columns changed {place.beside.stat().st_mtime_ns}" if place.beside else ""
    except (AppError, OSError, ValueError):
        return where
    limits = f"at most {bounds.max_examples:,} rows, {bounds.max_prompt_chars:,} characters, {bounds.max_bytes:,} bytes"
    return f"{where} ({facts.st_size:,} bytes, changed {facts.st_mtime_ns}{plan}; {limits})"
