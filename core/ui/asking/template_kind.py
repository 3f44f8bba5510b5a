"""Whether a model is a base, chat or thinking one, read from its files without loading it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from core.models import backend
from core.models.local.folder import chat_template, local
from core.models.model_kind import ModelKind, kind_of
from core.records import ModelSpec


def kind_of_model(spec: ModelSpec) -> ModelKind | None:
    """Base, chat or thinking, by the template in its files; None where they are not here (a server, a hub name)."""
    place = None if backend(spec.backend).remote else local(spec.path)
    if place is None or not place.exists():
        return None
    stamp = place.stat().st_mtime_ns
    return _kind(str(place), stamp)


@lru_cache(maxsize=64)
def _kind(place: str, _stamp: int) -> ModelKind:
    return kind_of(chat_template(Path(place)))
