"""The file forms of a `Generation` (JSON) and a `SalienceMatrix` (npz), and a read-only folder of them.

    <folder>/generations/<2 hex>/<key>.json      {"prompt": …, "generation": {…}}
    <folder>/salience/<2 hex>/<key>.npz          meta (JSON as bytes), values, gram or its upper triangle

`data/precomputed` is such a folder: the answers and maps that ship, found by the same keys as those computed
here. Floats survive exactly. A file is written beside its place and renamed, so a reader sees the old one,
the new one or none. Whatever cannot be read back whole counts as missing: nothing is ever unpickled.

Knows no database and no budget (`core/store/salience_files.py` has the budget).
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import AppError
from core.records import (
    Generation,
    GenerationParams,
    Message,
    ModelSpec,
    SalienceMatrix,
    SalienceRequest,
    Tokens,
)
from core.store.keys import Prompt, generation_key

FORMAT = 1


def generation_to_json(generation: Generation) -> dict[str, Any]:
    """`generation` as plain JSON values; float32 become the doubles equal to them."""
    tokens = generation.tokens
    return {
        "format": FORMAT,
        "example_id": generation.example_id,
        "model": asdict(generation.model),
        "params": generation.params.plain(),
        "tokens": {
            "ids": tokens.ids.tolist(),
            "text": tokens.text,
            "char_spans": tokens.char_spans.tolist(),
            "special": tokens.special.astype(int).tolist(),
            "role": tokens.role.tolist(),
            "prompt_len": tokens.prompt_len,
        },
        "text": generation.text,
        "logprob_nats": generation.logprob_nats.tolist(),
        "stop_reason": generation.stop_reason,
        "seconds": generation.seconds,
    }


def generation_from_json(plain: dict[str, Any]) -> Generation:
    """The inverse of `generation_to_json`. Raises ValueError, KeyError or TypeError for anything else."""
    if plain.get("format") != FORMAT:
        raise ValueError(f"expected format {FORMAT}, got {plain.get('format')!r}")
    tokens = dict(plain["tokens"])
    size = len(tokens["ids"])
    tokens["char_spans"] = np.asarray(tokens["char_spans"], np.int64).reshape(size, 2)
    tokens["special"] = np.asarray(tokens["special"], np.bool_)
    params = dict(plain["params"]) | {"stop": tuple(plain["params"]["stop"])}
    return Generation(
        example_id=plain["example_id"],
        model=ModelSpec(**plain["model"]),
        params=GenerationParams(**params),
        tokens=Tokens(**tokens),
        text=plain["text"],
        logprob_nats=np.asarray(plain["logprob_nats"], np.float32),
        stop_reason=plain["stop_reason"],
        seconds=plain["seconds"],
    )


def prompt_to_json(prompt: Prompt) -> Any:
    return prompt if isinstance(prompt, str) else [{"role": m.role, "content": m.content} for m in prompt]


def prompt_from_json(plain: Any) -> Prompt:
    return plain if isinstance(plain, str) else tuple(Message(**turn) for turn in plain)


def salience_to_bytes(matrix: SalienceMatrix) -> bytes:
    """`matrix` as the bytes of an npz; a gram that is exactly symmetric is kept as its upper triangle."""
    request = matrix.request
    meta = {
        "format": FORMAT,
        "request": {
            "model": asdict(request.model),
            "ids": request.ids,
            "prompt_len": request.prompt_len,
            "method": request.method,
            "targets": request.targets,
            "options": request.options,
        },
        "signed": matrix.signed,
        "units": matrix.units,
        "note": matrix.note,
        "combines": matrix.combines,
    }
    arrays: dict[str, NDArray[Any]] = {
        "meta": np.frombuffer(json.dumps(meta).encode(), np.uint8),
        "values": matrix.values,
    }
    gram = matrix.gram
    if gram is not None:
        if np.array_equal(gram, gram.transpose(0, 2, 1)):
            rows, columns = np.triu_indices(gram.shape[1])
            arrays["gram_triangle"] = gram[:, rows, columns]
        else:
            arrays["gram"] = gram
    out = BytesIO()
    np.savez(out, allow_pickle=False, **arrays)
    return out.getvalue()


def salience_from_bytes(data: bytes) -> SalienceMatrix:
    """The inverse of `salience_to_bytes`; raises some exception for anything else."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        spoiled = archive.testzip()
    if spoiled:
        raise ValueError(f"{spoiled} does not have its checksum")
    with np.load(BytesIO(data), allow_pickle=False) as arrays:
        meta = json.loads(arrays["meta"].tobytes())
        if meta["format"] != FORMAT:
            raise ValueError(f"expected format {FORMAT}, got {meta['format']!r}")
        values = arrays["values"]
        gram = arrays.get("gram")
        if "gram_triangle" in arrays:
            size = len(values)
            rows, columns = np.triu_indices(size)
            triangle = arrays["gram_triangle"]
            gram = np.empty((len(triangle), size, size), np.float32)
            gram[:, rows, columns] = triangle
            gram[:, columns, rows] = triangle
    plain = meta["request"]
    request = SalienceRequest(
        model=ModelSpec(**plain["model"]),
        ids=tuple(plain["ids"]),
        prompt_len=plain["prompt_len"],
        method=plain["method"],
        targets=tuple((a, b) for a, b in plain["targets"]),
        options=tuple((name, value) for name, value in plain["options"]),
    )
    combines = meta.get("combines", "")  # earlier versions did not keep it: the gram tells
    return SalienceMatrix(request, values, gram, meta["signed"], meta["units"], meta["note"], combines)


def place(folder: Path, kind: str, key: str, suffix: str) -> Path:
    """Where the record of `key` stands under `folder`. Raises `AppError` for a key that is not a digest."""
    if len(key) != 64 or not set(key) <= set("0123456789abcdef"):
        raise AppError("A content address should be 64 hex digits.")
    return folder / kind / key[:2] / f"{key}{suffix}"


def write_atomically(path: Path, data: bytes) -> None:
    """`data` at `path`: whole, or not at all, also when the process is killed in the middle."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with beside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        with contextlib.suppress(OSError):  # the fault that brought us here is the one to tell
            beside.unlink(missing_ok=True)


def read_salience(path: Path) -> SalienceMatrix | None:
    """The matrix in the file, or None when there is none that can be read whole."""
    try:
        return salience_from_bytes(path.read_bytes())
    except Exception:  # a spoiled zip also raises NotImplementedError, RuntimeError, struct.error, ...
        return None


def request_ids(path: Path) -> tuple[int, ...] | None:
    """The token ids that the matrix in the file is about, without reading its scores; None for a spoiled file."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return tuple(json.loads(arrays["meta"].tobytes())["request"]["ids"])
    except Exception:  # as for `read_salience`
        return None


def read_generation(path: Path) -> tuple[Prompt, Generation] | None:
    """The prompt and what was written for it, or None when the file cannot be read whole."""
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        return prompt_from_json(plain["prompt"]), generation_from_json(plain["generation"])
    except (OSError, ValueError, KeyError, TypeError, AppError):
        return None


class Bundle:
    """A folder of precomputed records, looked up by key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def generation(self, key: str) -> Generation | None:
        found = read_generation(place(self.folder, "generations", key, ".json"))
        return found[1] if found else None

    def salience(self, key: str) -> SalienceMatrix | None:
        found = read_salience(place(self.folder, "salience", key, ".npz"))
        return found if found and found.request.key == key else None

    def generations(self) -> Iterator[tuple[str, Prompt, Generation]]:
        """Every answer in the folder, with its key and prompt."""
        for path in sorted((self.folder / "generations").glob("??/*.json")):
            found = read_generation(path)
            if found:
                yield path.stem, *found

    def write_generation(self, prompt: Prompt, generation: Generation, response: str | None = None) -> str:
        """Keeps `generation` (with `response`: the score of a typed answer) and returns its key."""
        key = generation_key(prompt, generation.model, generation.params, response)
        plain = {"prompt": prompt_to_json(prompt), "generation": generation_to_json(generation)}
        text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
        write_atomically(place(self.folder, "generations", key, ".json"), text.encode())
        return key

    def write_salience(self, matrix: SalienceMatrix) -> str:
        """Keeps `matrix` and returns its key."""
        key = matrix.request.key
        write_atomically(place(self.folder, "salience", key, ".npz"), salience_to_bytes(matrix))
        return key
