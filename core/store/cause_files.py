"""What *Find the cause* found, on disk by content address: a restart loses nothing. The oldest leave first.

    <folder>/causes/<2 hex>/<key>.json

A file that cannot be read back whole, or is of another request, counts as missing. Knows neither database nor model.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from core.cause import Cause, CauseRequest, CauseSettings, Removal
from core.errors import AppError
from core.records import ModelSpec
from core.store.bundle import place, write_atomically

FORMAT = 1
MOST = 2_000


def cause_to_json(cause: Cause) -> dict[str, Any]:
    """`cause` as plain JSON values; None stands for what could not be measured."""
    scores = cause.map_scores
    return {
        "format": FORMAT,
        "request": asdict(cause.request),
        "verdict": cause.verdict,
        "parts": cause.parts,
        "candidates": cause.candidates,
        "joint": None if cause.joint is None else _removal(cause.joint),
        "removals": [_removal(one) for one in cause.removals],
        "map_scores": None if scores is None else [float(x) for x in scores],
        "map_note": cause.map_note,
        "escalated": cause.escalated,
        "passes": cause.passes,
        "seconds": cause.seconds,
    }


def cause_from_json(plain: dict[str, Any]) -> Cause:
    """The inverse of `cause_to_json`. Raises ValueError, KeyError, TypeError or AppError for anything else."""
    if plain["format"] != FORMAT:
        raise ValueError(f"expected format {FORMAT}, got {plain['format']!r}")
    asked = plain["request"]
    request = CauseRequest(
        ModelSpec(**asked["model"]),
        tuple(asked["ids"]),
        asked["prompt_len"],
        tuple((a, b) for a, b in asked["targets"]),
        tuple((a, b) for a, b in asked["parts"]),
        tuple(asked["locked"]),
        CauseSettings(**asked["settings"]),
    )
    scores = plain["map_scores"]
    return Cause(
        request=request,
        verdict=plain["verdict"],
        parts=tuple(plain["parts"]),
        candidates=tuple(plain["candidates"]),
        joint=None if plain["joint"] is None else _read(plain["joint"]),
        removals=tuple(_read(one) for one in plain["removals"]),
        map_scores=None if scores is None else np.array(scores, np.float32),
        map_note=plain["map_note"],
        escalated=plain["escalated"],
        passes=plain["passes"],
        seconds=plain["seconds"],
    )


def _removal(one: Removal) -> list[Any]:
    measured = one.effect_nats == one.effect_nats
    plain: list[Any] = [list(one.parts), one.effect_nats if measured else None, one.turns]
    return [*plain, True] if one.at_least else plain


def _read(plain: list[Any]) -> Removal:
    parts, effect, turns, *at_least = plain
    return Removal(tuple(parts), float("nan") if effect is None else float(effect), turns, bool(at_least))


class CauseFiles:
    """At most `most` of them under `folder`; `shipped` is a folder that is only read."""

    def __init__(self, folder: Path, shipped: Path, most: int = MOST) -> None:
        self.folder, self.shipped, self.most = folder, shipped, most

    def get(self, key: str) -> Cause | None:
        for folder in (self.folder, self.shipped):
            try:
                text = place(folder, "causes", key, ".json").read_text(encoding="utf-8")
                found = cause_from_json(json.loads(text))
            except (OSError, ValueError, KeyError, TypeError, AppError):
                continue
            if found.request.key == key:
                return found
        return None

    def put(self, cause: Cause) -> None:
        key = cause.request.key
        text = json.dumps(cause_to_json(cause), ensure_ascii=False, separators=(",", ":"))
        write_atomically(place(self.folder, "causes", key, ".json"), text.encode())
        held = list((self.folder / "causes").glob("??/*.json"))
        if len(held) <= self.most:
            return
        dated = []
        for path in held:
            with contextlib.suppress(OSError):  # another process may have removed it
                dated.append((path.stat().st_mtime_ns, path))
        for _, path in sorted(dated)[: len(dated) - self.most * 9 // 10]:
            with contextlib.suppress(OSError):
                path.unlink()

    def forget(self, texts: Collection[tuple[int, ...]]) -> None:
        """Removes every cause found in one of `texts`, each the token ids of a prompt and its answer."""
        for path in self.of(texts):
            with contextlib.suppress(OSError):
                path.unlink()

    def stored_bytes(self) -> int:
        """What the files weigh together."""
        held = 0
        for path in (self.folder / "causes").glob("??/*.json"):
            with contextlib.suppress(OSError):
                held += path.stat().st_size
        return held

    def of(self, texts: Collection[tuple[int, ...]]) -> Iterator[Path]:
        """The files of causes found in one of `texts`, each the token ids of a prompt and its answer."""
        if not texts:
            return
        for path in (self.folder / "causes").glob("??/*.json"):
            try:
                ids = tuple(map(int, json.loads(path.read_text(encoding="utf-8"))["request"]["ids"]))
            except (OSError, ValueError, KeyError, TypeError):
                continue
            if ids in texts:
                yield path
