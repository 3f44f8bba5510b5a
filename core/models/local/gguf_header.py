"""What a `.gguf` file says of itself, read without its weights and without torch.

llama.cpp's format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. The library's own reader makes an array
of every word of the vocabulary first (18 s for one of 262,144 words); this one walks over them. Every length is
checked against the file, so a cut or forged file is a sentence.
"""

from __future__ import annotations

import math
import mmap
import struct
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import AppError

VERSIONS = (2, 3)
_FIXED = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
MOST_KEYS, MOST_TENSORS, MOST_DIMENSIONS = 100_000, 1_000_000, 8


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of the file; `shape` in torch's order, `kind` the number of ggml's type."""

    name: str
    shape: tuple[int, ...]
    kind: int

    @property
    def elements(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Header:
    """Metadata and the table of tensors. An array of words that was not asked for is its length."""

    path: Path
    bytes: int
    metadata: dict[str, Any]
    tensors: tuple[Tensor, ...]

    @property
    def architecture(self) -> str:
        return str(self.metadata.get("general.architecture", ""))

    @property
    def name(self) -> str:
        """What the file calls the model; else the file's own name."""
        return str(self.metadata.get("general.name") or self.path.stem)

    @property
    def parameters(self) -> int:
        return sum(tensor.elements for tensor in self.tensors)

    @property
    def quantization(self) -> str:
        """llama.cpp's word for how the weights are stored ("Q4_K_M"); without one, the commonest type of a weight."""
        from gguf import GGMLQuantizationType, LlamaFileType

        try:
            return (
                LlamaFileType(self.metadata["general.file_type"])
                .name.removeprefix("MOSTLY_")
                .removeprefix("ALL_")
            )
        except (KeyError, ValueError):
            pass
        sizes: Counter[int] = Counter()
        for tensor in self.tensors:
            sizes[tensor.kind] += tensor.elements
        kind = sizes.most_common(1)[0][0] if sizes else 0
        try:
            return GGMLQuantizationType(kind).name
        except ValueError:
            return f"type {kind}"

    def of_architecture(self, key: str) -> Any:
        """The value of `<architecture>.<key>`, or None."""
        return self.metadata.get(f"{self.architecture}.{key}")


def read(path: Path, words: Container[str] = ()) -> Header:
    """The header of the file `path`; the arrays of words that `words` names are kept whole.

    Raises: AppError when it is no GGUF file, of another version, cut short or damaged.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as blob:
            return _Reader(path, blob).header(words)
    except OSError as error:
        raise AppError(f"The file {path} cannot be read: {error.strerror}.", code="not_found") from error
    except ValueError as error:  # mmap refuses an empty file
        raise AppError(f"The file {path} is empty: expected a .gguf file.") from error


class _Reader:
    """Walks through the bytes of one file."""

    def __init__(self, path: Path, blob: mmap.mmap) -> None:
        self.path, self.blob, self.at = path, blob, 0

    def header(self, words: Container[str]) -> Header:
        if self.blob[:4] != b"GGUF":
            raise AppError(f"{self.path.name} is no GGUF file: it does not begin with the letters GGUF.")
        self.at = 4
        (version,) = self._take("I")
        if version not in VERSIONS:
            raise AppError(
                f"{self.path.name} is of GGUF version {version}; expected {' or '.join(map(str, VERSIONS))}.",
                hint="Convert the model again with a present llama.cpp.",
            )
        tensors, keys = self._take("QQ")
        self._bound(keys, MOST_KEYS, "keys")
        self._bound(tensors, MOST_TENSORS, "tensors")
        metadata: dict[str, Any] = {}
        for _ in range(keys):
            key = self._string()
            (kind,) = self._take("I")
            metadata[key] = self._value(kind, keep=key in words)
        return Header(self.path, len(self.blob), metadata, tuple(self._tensor() for _ in range(tensors)))

    def _tensor(self) -> Tensor:
        name = self._string()
        (dimensions,) = self._take("I")
        self._bound(dimensions, MOST_DIMENSIONS, "dimensions of a tensor")
        shape = self._take(f"{dimensions}Q")
        kind, _offset = self._take("IQ")
        return Tensor(name, tuple(reversed(shape)), kind)  # ggml writes the fastest dimension first

    def _value(self, kind: int, keep: bool) -> Any:
        if kind in _FIXED:
            return self._take(_FIXED[kind])[0]
        if kind == _STRING:
            return self._string()
        if kind != _ARRAY:
            raise self._damaged(f"it holds a value of the unknown type {kind}")
        of, count = self._take("IQ")
        self._bound(count, len(self.blob) - self.at, "items of a list")
        if of in _FIXED:
            return list(self._take(f"{count}{_FIXED[of]}"))
        if of != _STRING:
            raise self._damaged(f"it holds a list of the unknown type {of}")
        if keep:
            return [self._string() for _ in range(count)]
        for _ in range(count):
            (length,) = self._take("Q")
            self._skip(length)
        return count

    def _take(self, form: str) -> tuple[Any, ...]:
        size = struct.calcsize(f"<{form}")
        start = self.at
        self._skip(size)
        return struct.unpack_from(f"<{form}", self.blob, start)

    def _string(self) -> str:
        (length,) = self._take("Q")
        start = self.at
        self._skip(length)
        return self.blob[start : self.at].decode("utf-8", errors="replace")

    def _skip(self, size: int) -> None:
        if size > len(self.blob) - self.at:
            raise self._damaged("it ends in the middle of its own description")
        self.at += size

    def _bound(self, count: int, most: int, what: str) -> None:
        if count > most:
            raise self._damaged(f"it claims {count:,} {what}")

    def _damaged(self, why: str) -> AppError:
        return AppError(
            f"The file {self.path.name} is damaged or was not copied whole: {why}.",
            hint="Fetch it again.",
            code="damaged",
        )
