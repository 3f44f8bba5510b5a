"""A dataset of the Hugging Face hub by name, from the hub's own Parquet conversion.

`owner/name`, and if need be `owner/name@config/split`. Only Parquet files are read and no code of the
dataset runs. Asks the network only when a person names a dataset. The file goes into a folder that is gone when
it was read, so nothing gathers in the hub's cache.

A visitor of a hosted installation gets the datasets that the operator listed, and is never sent with a token of
the operator's: what only the operator may read stays the operator's.
"""

from __future__ import annotations

import errno
import tempfile
import threading
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from core.datasets.bounds import Bounds, too_large
from core.datasets.formats import open_bytes
from core.datasets.rows import FileRows
from core.errors import AppError

_CONVERTED = "refs/convert/parquet"
_SPLITS = ("train", "validation", "test")
ENDPOINT: str | None = None
"""None: the hub, or where the environment's HF_ENDPOINT points."""
_AT_ONCE = threading.BoundedSemaphore(2)
"""Files on their way, so that many visitors together hold no more than two of the largest size."""


def open_to_visitors(name: str, bounds: Bounds) -> bool:
    """Whether a visitor may have the dataset `name`: one in the operator's list (`owner/name`, `owner/*`)."""
    return any(fnmatchcase(name.casefold(), listed.casefold()) for listed in bounds.visitor_datasets)


def open_hub(where: str, bounds: Bounds) -> FileRows:
    """The first file of the dataset's split. Raises `AppError` when the hub or the dataset is not there."""
    name, _, part = where.strip().partition("@")
    if not name or name.count("/") > 1 or name.startswith(("http:", "https:", ".", "/")):
        raise AppError("A dataset of the hub is written owner/name, or owner/name@config/split.")
    if bounds.hosted and not open_to_visitors(name, bounds):
        listed = ", ".join(bounds.visitor_datasets)
        raise AppError(
            f"The hub's dataset “{name}” is not one that visitors of this site may load.",
            hint=f"There are: {listed}." if listed else "Download it yourself and upload its file.",
            code="forbidden",
        )
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError
    except ImportError as error:
        raise AppError("The package huggingface_hub is not installed, so the hub cannot be read.") from error
    # False, and not None: None would send the token that the hub's library finds by itself.
    token = False if bounds.hosted else bounds.token or False
    common: dict[str, Any] = {"repo_type": "dataset", "revision": _CONVERTED}
    try:
        api = HfApi(endpoint=ENDPOINT, token=token)
        files = api.list_repo_tree(name, recursive=True, **common)
        sizes = {entry.path: getattr(entry, "size", 0) or 0 for entry in files}
        path = choose(sizes, part)
        if sizes[path] > bounds.max_bytes:
            raise too_large(f"“{path}” of {name}", sizes[path], bounds)
        with _AT_ONCE, tempfile.TemporaryDirectory(prefix="whence-hub-") as folder:
            local = Path(api.hf_hub_download(name, path, local_dir=folder, **common))
            if local.stat().st_size > bounds.max_bytes:
                raise too_large(f"“{path}” of {name}", local.stat().st_size, bounds)
            data = local.read_bytes()
    except HfHubHTTPError as error:
        raise AppError(
            f"The hub has no dataset “{name}” that may be read, or none in Parquet form.",
            hint="Check the name."
            if bounds.hosted
            else "Check the name; for a dataset behind a licence set HF_TOKEN.",
            code="missing",
        ) from error
    except HFValidationError as error:
        raise AppError(
            f"“{name}” is not a name that the hub could have.", hint="Expected owner/name, such as squad."
        ) from error
    except AppError:
        raise
    except Exception as error:  # whatever the network client raises without a network
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise AppError(
                f"The disk is full: {error.filename or tempfile.gettempdir()} cannot grow.",
                hint="Free some space there, or name another folder in TMPDIR.",
                code="disk_full",
            ) from error
        raise AppError(
            f"The Hugging Face hub cannot be reached ({type(error).__name__}).",
            hint="Download the dataset elsewhere and upload its file.",
            code="unreachable",
        ) from error
    rows = open_bytes(data, path, bounds, name=name, origin=f"hub: {name}/{path}")
    more = sum(other.rpartition("/")[0] == path.rpartition("/")[0] for other in sizes) - 1
    if more:
        rows = replace(
            rows, notes=(*rows.notes, f"Only the first of {more + 1} files of this split was read.")
        )
    return rows


def choose(paths: dict[str, int], part: str) -> str:
    """The first Parquet file of `part` (`config/split`, `config` or ""); train before validation before test.

    The hub lays them out as `config/split/0000.parquet`. Raises `AppError` listing what there is.
    """
    files = sorted(path for path in paths if path.endswith(".parquet") and path.count("/") == 2)
    folders = list(dict.fromkeys(path.rpartition("/")[0] for path in files))
    wanted = [f for f in folders if not part or f == part or f.partition("/")[0] == part]
    order = {split: place for place, split in enumerate(_SPLITS)}
    wanted.sort(key=lambda folder: order.get(folder.rpartition("/")[2], len(order)))
    if not wanted:
        listed = ", ".join(folders[:10]) or "nothing"
        raise AppError(f"The dataset has no part “{part}”.", hint=f"It has: {listed}.", code="missing")
    return next(path for path in files if path.startswith(f"{wanted[0]}/"))
