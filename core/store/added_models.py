"""The models that people added, in a small file beside the database: names, addresses, precisions; never a token.

A file that cannot be read, or an entry that is no model, is passed over: a menu without it is better than no page.
Written beside its place and renamed, so that a killed process leaves the old file or the new one.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from core.errors import AppError
from core.records import ModelSpec

FILE = "models.json"
logger = logging.getLogger(__name__)


def read(folder: Path) -> tuple[ModelSpec, ...]:
    """The models that `folder` keeps, in the order in which they were added."""
    try:
        listed = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        logger.warning("The added models in %s cannot be read (%s).", folder / FILE, type(error).__name__)
        return ()
    found = []
    for entry in listed if isinstance(listed, list) else ():
        try:
            found.append(ModelSpec(**entry))
        except (TypeError, AppError):
            logger.warning("An entry of %s is no model and was passed over.", folder / FILE)
    return tuple(found)


def write(folder: Path, specs: Sequence[ModelSpec]) -> None:
    """Keeps `specs` in place of what was there. A folder that cannot be written is logged, not raised."""
    beside = folder / f"{FILE}.{secrets.token_hex(4)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps([asdict(spec) for spec in specs], indent=1), encoding="utf-8")
        beside.replace(folder / FILE)
    except OSError as error:
        logger.warning("The added models cannot be kept in %s (%s).", folder / FILE, type(error).__name__)
        beside.unlink(missing_ok=True)
