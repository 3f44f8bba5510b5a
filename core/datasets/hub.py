"""A dataset of the Hugging Face hub by name, from the hub's own Parquet conversion.

`owner/name`, and if need be `owner/name@config/split`. Only Parquet files are read and no code of the
dataset runs. Asks the network only when a person names a dataset.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.datasets.base import Bounds, Loaded, too_large
from core.datasets.formats import load_bytes
from core.errors import AppError

_CONVERTED = "refs/convert/parquet"
_SPLITS = ("train", "validation", "test")


def load_hub(where: str, bounds: Bounds) -> Loaded:
    """The first file of the dataset's split. Raises `AppError` when the hub or the dataset is not there."""
    name, _, part = where.strip().partition("@")
    if not name or name.count("/") > 1 or name.startswith(("http:", "https:", ".", "/")):
        raise AppError("A dataset of the hub is written owner/name, or owner/name@config/split.")
    try:
        from huggingface_hub import HfApi, hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError
    except ImportError as error:
        raise AppError("The package huggingface_hub is not installed, so the hub cannot be read.") from error
    common: dict[str, Any] = {"repo_type": "dataset", "revision": _CONVERTED}
    try:
        api = HfApi(token=bounds.token or False)
        listed = api.list_repo_tree(name, recursive=True, **common)
        sizes = {entry.path: getattr(entry, "size", 0) or 0 for entry in listed}
        path = choose(sizes, part)
        if sizes[path] > bounds.max_bytes:
            raise too_large(f"“{path}” of {name}", sizes[path], bounds)
        local = hf_hub_download(name, path, token=bounds.token or False, **common)
    except HfHubHTTPError as error:
        raise AppError(
            f"The hub has no dataset “{name}” that may be read, or none in Parquet form.",
            hint="Check the name; for a dataset behind a licence set HF_TOKEN.",
            code="missing",
        ) from error
    except HFValidationError as error:
        raise AppError(
            f"“{name}” is not a name that the hub could have.", hint="Expected owner/name, such as squad."
        ) from error
    except AppError:
        raise
    except Exception as error:  # whatever the network client raises without a network
        raise AppError(
            f"The Hugging Face hub cannot be reached ({type(error).__name__}).",
            hint="Download the dataset elsewhere and upload its file.",
            code="unreachable",
        ) from error
    loaded = load_bytes(Path(local).read_bytes(), path, bounds, name=name, origin=f"hub: {name}/{path}")
    more = sum(other.rpartition("/")[0] == path.rpartition("/")[0] for other in sizes) - 1
    if more:
        notes = (*loaded.notes, f"Only the first of {more + 1} files of this split was read.")
        loaded = Loaded(loaded.name, loaded.origin, loaded.examples, loaded.problems, notes)
    return loaded


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
