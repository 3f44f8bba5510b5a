"""Files out of a bucket, `gs://bucket/model`, through fsspec and gcsfs, which are an extra.

Who may read is Google's own matter: gcsfs takes the credentials that this machine has. Knows names of files only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from core.errors import AppError, Stopped
from core.models.local.archive import WANTED
from core.models.local.folder_checks import check_names

BLOCK = 1_000_000
MOST_LISTED = 10_000
Took = Callable[[int, int], None]
"""Takes how many bytes came just now, and how many the whole has."""


def copy_file(address: str, target: Path, took: Took, seen: Callable[[bytes], None]) -> None:
    """The one file at `address` as `target`; `seen` gets every byte. Raises: AppError; what `took` raises."""
    files, place = _place(address)
    with _Told(address):
        size = int(files.info(place)["size"] or 0)
        _read(files, place, target, size, took, seen)


def copy_folder(address: str, target: Path, took: Took) -> None:
    """A model's files directly under `address` into the new folder `target`.

    Raises: AppError when it is no model's folder, holds only pickled weights, or cannot be read; what `took` raises.
    """
    files, place = _place(address)
    with _Told(address):
        listed = files.ls(place, detail=True)
    found = {
        PurePosixPath(str(one["name"])).name: (str(one["name"]), int(one.get("size") or 0))
        for one in listed[:MOST_LISTED]
        if one.get("type") == "file"
    }
    check_names(list(found), f"The folder {address}")
    wanted = {
        name: one for name, one in found.items() if name.endswith(WANTED) and not name.endswith(".gguf")
    }
    whole = sum(size for _, size in wanted.values())
    target.mkdir()
    for name, (there, _) in wanted.items():
        with _Told(address):
            _read(files, there, target / name, whole, took, None)


def _place(address: str) -> tuple[Any, str]:
    """The file system and the path in it. Raises: AppError without the extra, or for another kind of address."""
    if "::" in address:
        raise AppError(f"{address} is a chain of addresses; expected gs://bucket/folder alone.")
    try:
        import fsspec

        return fsspec.url_to_fs(address)
    except ImportError as error:
        raise AppError(
            "Addresses that begin with gs:// need gcsfs, which is not installed.",
            hint="Install it: pip install --no-deps -r requirements-gcs.lock (or whence[gcs]).",
        ) from error
    except Exception as error:
        raise _unreachable(address, error) from error


def _read(
    files: Any, place: str, target: Path, whole: int, took: Took, seen: Callable[[bytes], None] | None
) -> None:
    with files.open(place, "rb") as opened, target.open("xb") as out:
        while block := opened.read(BLOCK):
            took(len(block), whole)
            if seen is not None:
                seen(block)
            out.write(block)


class _Told:
    """Turns what the libraries raise into a sentence; a full disk here stays what it is."""

    def __init__(self, address: str) -> None:
        self._address = address

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if error is None or isinstance(error, (AppError, Stopped)) or not isinstance(error, Exception):
            return
        if isinstance(error, OSError) and error.errno is not None and error.filename is not None:
            return  # of this machine: what a bucket says has no file name of ours
        raise _unreachable(self._address, error) from error


def _unreachable(address: str, error: Exception) -> AppError:
    if isinstance(error, FileNotFoundError):
        return AppError(f"There is nothing at {address}.", hint="Check bucket and folder.", code="not_found")
    said = " ".join(str(error).split())[:160]
    return AppError(
        f"{address} cannot be read: {said or type(error).__name__}.",
        hint="Check its name, and that this machine's Google credentials may read it (gcloud auth "
        "application-default login).",
        code="unreachable",
    )
