"""A model taken out of an archive (.zip, .tar, .tar.gz) that anybody may have packed: its own files and nothing else.

Only safetensors, configuration, tokenizer and template of one folder, or one `.gguf` file, are written, under their
bare names into one folder: so no name leads out of it. Links and special files are refused; what is unpacked counts
against a bound, entries too. Knows files, not models.
"""

from __future__ import annotations

import gzip
import lzma
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from core.datasets import zip_directory
from core.errors import AppError
from core.models.local.folder_checks import check_names
from core.models.local.weights_address import GGUF

WANTED = (".json", ".safetensors", ".txt", ".model", ".jinja", ".gguf")
MOST_HEADER_BYTES = 2_000_000
BLOCK = 1_000_000
DAMAGED = (
    *(tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, lzma.LZMAError, struct.error),
    *(
        EOFError,
        ValueError,
        RuntimeError,
    ),  # what zipfile says of an archive with a password, or a way unknown to it
)
_NAME = re.compile(r"[\w][\w. +-]{0,199}")
Charge = Callable[[int], None]
"""Takes bytes that are about to be unpacked; raises where they are too many."""


def unpack(packed: Path, kind: str, target: Path, charge: Charge) -> Path:
    """Takes the model out of `packed` into the new folder `target`; returns that folder, or the `.gguf` file in it.

    Raises: AppError when it is no archive of that kind, is damaged, holds links, names that lead out of it, no model or
    several; what `charge` raises.
    """
    target.mkdir()
    kept: dict[PurePosixPath, Path] = {}
    others: list[str] = []
    try:
        for name, member in _members(packed, kind, charge):
            inside = PurePosixPath(name)
            if not _NAME.fullmatch(inside.name) or inside.suffix not in WANTED:
                others.append(inside.name)
                continue
            if inside in kept:
                raise AppError(f"The archive holds {_shown(name)} twice.", code="damaged")
            kept[inside] = target / f"{len(kept)}.part"
            with kept[inside].open("wb") as out:
                while block := member.read(BLOCK):
                    charge(len(block))
                    out.write(block)
    except DAMAGED as error:
        raise _damaged(kind, error) from error
    return _choose(kept, others, target)


def _damaged(kind: str, error: Exception) -> AppError:
    said = " ".join(str(error).split())[:120]
    return AppError(
        f"The archive is not a whole {kind} file: {said or type(error).__name__}.",
        hint="Pack it again, or unpack it yourself and give the folder.",
        code="damaged",
    )


def _choose(kept: dict[PurePosixPath, Path], others: list[str], target: Path) -> Path:
    """Gives the files of the topmost folder with a config.json their names; the rest goes."""
    homes = [inside.parent for inside in kept if inside.name == "config.json"]
    top = min((len(home.parts) for home in homes), default=0)
    homes = [home for home in homes if len(home.parts) == top]
    ggufs = [inside for inside in kept if inside.suffix == ".gguf"]
    if len(homes) > 1 or (not homes and len(ggufs) > 1):
        several = homes or ggufs
        raise AppError(
            f"The archive holds {len(several)} models: {', '.join(_shown(str(one)) for one in several[:5])}.",
            hint="Pack one model to an archive.",
        )
    if not homes and ggufs:
        chosen = {GGUF: kept[ggufs[0]]}
    else:
        chosen = {inside.name: file for inside, file in kept.items() if homes and inside.parent == homes[0]}
        beside = [name for name in others if _NAME.fullmatch(name)]
        check_names([*(chosen or [one.name for one in kept]), *beside], "The archive")
    for name, file in chosen.items():
        file.rename(target / name)
    for file in kept.values():
        file.unlink(missing_ok=True)
    return target / GGUF if GGUF in chosen and not homes else target


def _members(packed: Path, kind: str, charge: Charge) -> Iterator[tuple[str, IO[bytes]]]:
    """Every regular file of the archive in its order, judged, open for reading."""
    with packed.open("rb") as file:
        if kind == ".zip":
            yield from _of_zip(file)
        elif kind == ".tar":
            yield from _of_tar(file, charge)
        else:
            with gzip.open(file) as whole:
                yield from _of_tar(whole, charge)


def _of_zip(file: IO[bytes]) -> Iterator[tuple[str, IO[bytes]]]:
    with zip_directory.opened(file, "The archive") as archive:  # type: ignore[arg-type]
        for entry in archive.infolist():
            _check_name(entry.filename)
            mode = entry.external_attr >> 16
            if stat.S_ISLNK(mode):
                raise _link(entry.filename)
            if not entry.is_dir():
                with archive.open(entry) as member:
                    yield entry.filename, member


def _of_tar(file: Any, charge: Charge) -> Iterator[tuple[str, IO[bytes]]]:
    with cast(Any, tarfile.TarFile(fileobj=cast(IO[bytes], _ShortReads(file)), mode="r")) as archive:
        count = 0
        while (entry := archive.next()) is not None:
            archive.members.clear()  # they are never looked up again
            count += 1
            if count > zip_directory.MOST_ENTRIES:
                raise AppError(
                    f"The archive holds more than {zip_directory.MOST_ENTRIES:,} entries.", code="too_large"
                )
            _check_name(entry.name)
            if entry.isdir():
                continue
            if not entry.isreg() or entry.issparse():
                raise _link(entry.name)
            wanted = PurePosixPath(entry.name).suffix in WANTED
            if not wanted:
                charge(entry.size)  # it is read past, which takes its time too
            member = archive.extractfile(entry)
            assert member is not None
            yield entry.name, member


class _ShortReads:
    """A file that gives no header of megabytes: `tarfile` reads long names and their like whole into memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.tell, self.seek = file.tell, file.seek

    def read(self, count: int = -1) -> bytes:
        if not 0 <= count <= MOST_HEADER_BYTES:
            raise AppError(
                f"The archive has a header of {count:,} bytes, which is not read.", code="too_large"
            )
        return self._file.read(count)


def _check_name(name: str) -> None:
    """Raises: AppError for a name that leads out of the archive."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if "\0" in name or ".." in parts or name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        raise AppError(
            f"The archive holds {_shown(name)}, a name that leads out of it: none of it is unpacked.",
            code="damaged",
        )


def _link(name: str) -> AppError:
    return AppError(
        f"The archive holds {_shown(name)}, which is a link or no ordinary file: none of it is unpacked.",
        hint="Pack the files themselves (tar --dereference).",
        code="damaged",
    )


def _shown(name: str) -> str:
    return ascii(name if len(name) <= 80 else f"{name[:77]}...")
