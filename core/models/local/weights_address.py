"""Addresses of models in `MODEL_CONFIG`: an archive or a `.gguf` file at `https://…`, a folder or one of these in a
bucket (`gs://…`), and where each is kept once it is fetched (`fetched_weights.py`).

`#sha256=<64 hex digits>` at the end of an address is the file's hash. What stands behind a `?` (a signed address) is a
secret: it is kept in memory and never becomes part of a path, a page or a log. Opens nothing.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from urllib.parse import urlsplit

from core.errors import AppError
from core.settings import settings

BUCKET = "gs://"
ARCHIVES = (".zip", ".tar.gz", ".tgz", ".tar")
GGUF = "model.gguf"
"""What a `.gguf` file is kept as."""
NOTE = "fetched.json"
_HASH = re.compile(r"sha256=([0-9a-f]{64})")
_QUERIES: dict[str, str] = {}


def names(path: str) -> bool:
    """Whether `path` is such an address; every other http address is that of a model server."""
    if path.startswith(BUCKET):
        return True
    return path.startswith(("https://", "http://")) and kind_of(path) != ""


def kind_of(path: str) -> str:
    """`.tar.gz` or the like, by the end of the address; "" for a folder."""
    plain = urlsplit(path).path.lower()
    return next((kind for kind in (*ARCHIVES, ".gguf", ".safetensors") if plain.endswith(kind)), "")


def checked(path: str) -> str:
    """The address as a spec's path: what stands behind a `?` is put aside.

    Raises: AppError for one that is not taken: a lone .safetensors file, http:// without a hash, a hash that is none.
    """
    parts = urlsplit(path)
    if parts.username or parts.password:
        raise AppError("The address of a model holds a user name or password, which is not sent.")
    if parts.fragment and not _HASH.fullmatch(parts.fragment):
        raise AppError(
            f"The address of a model ends in {'#' + parts.fragment[:80]!r}; expected nothing, or the file's hash as "
            "#sha256= and 64 hexadecimal digits in lower case."
        )
    kind = kind_of(path)
    if kind == ".safetensors":
        raise AppError(
            f"{parts.path.rpartition('/')[2]} is weights alone: configuration and tokenizer are needed too.",
            hint=f"Give an archive of the model's folder ({', '.join(ARCHIVES)}), or a .gguf file.",
        )
    if parts.fragment and not kind:
        raise AppError("A hash is of one file, but the address names a folder.", hint="Leave #sha256= out.")
    if parts.scheme == "http" and not parts.fragment:
        raise AppError(
            "What comes over http:// may be changed on its way, and is taken only with its hash.",
            hint="Give https://, or add #sha256= and the file's SHA-256 to the address.",
        )
    stored = parts._replace(query="").geturl()
    if parts.query and parts.scheme != "gs":
        _QUERIES[stored] = parts.query
    return stored


def hash_of(path: str) -> str:
    """The SHA-256 that the address gives its file; "" where it gives none."""
    found = _HASH.fullmatch(urlsplit(path).fragment)
    return found[1] if found else ""


def without_hash(path: str) -> str:
    """The address as it is shown."""
    return urlsplit(path)._replace(fragment="").geturl()


def asked_address(path: str) -> str:
    """The address with all that was put aside, as it is asked for; never to be shown."""
    return urlsplit(path)._replace(query=_QUERIES.get(path, ""), fragment="").geturl()


def place_of(path: str) -> Path:
    """The folder in which what was fetched from `path` is kept, there or not."""
    return settings().data_dir / "models" / f"fetched-{hashlib.sha256(path.encode()).hexdigest()[:16]}"


def model_of(path: str) -> Path:
    """The model folder or `.gguf` file of `path`, there or not."""
    gguf = place_of(path) / "model" / GGUF
    return gguf if gguf.is_file() or kind_of(path) == ".gguf" else place_of(path) / "model"


def is_here(path: str) -> bool:
    return (place_of(path) / NOTE).is_file()
