"""The models that can be chosen in this process: the operator's, and those that were added.

An added model is known by its name to everybody who uses this process, so that a link that names it works; it is
there again after a restart, for which its name and address are kept (`core.store.added_models`). Holds no token
(`core.models.remote.secrets`) and loads nothing.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import streamlit as st

from core.errors import AppError
from core.records import ModelSpec
from core.store import added_models
from core.ui.shell.services import service

MOST_ADDED = 50


class Catalog:
    """Added models by name; for any thread."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` keeps the added models; None: they are forgotten with the process."""
        self._folder = folder
        self._added = {spec.name: spec for spec in added_models.read(folder)} if folder else {}
        self._lock = threading.Lock()

    def specs(self) -> tuple[ModelSpec, ...]:
        """The operator's models first, then the added ones."""
        configured = service().specs()
        taken = {spec.name for spec in configured}
        with self._lock:
            return (*configured, *(s for s in self._added.values() if s.name not in taken))

    def added(self, spec: ModelSpec) -> bool:
        """Whether `spec` was added, and so may be removed."""
        with self._lock:
            return spec.name in self._added

    def add(self, spec: ModelSpec) -> ModelSpec:
        """Make `spec` one that can be chosen; the same model again is the one that is there.

        Returns: the spec under a name that nothing else has.
        Raises: AppError when too many were added.
        """
        known = self.specs()
        if spec in known:
            return spec
        for other in known:
            if replace(other, name=spec.name, revision=spec.revision) == spec:
                return other
        names = {other.name for other in known}
        # Two loadings of one model are told apart by what tells them apart.
        name, count = spec.name, 2
        if name in names:
            name = f"{spec.name}, {spec.precision}"
        while name in names:
            name, count = f"{spec.name}, {spec.precision} ({count})", count + 1
        with self._lock:
            if len(self._added) >= MOST_ADDED:
                raise AppError(
                    f"{MOST_ADDED} models were added already.", hint="Remove one that you do not need."
                )
            self._added[name] = replace(spec, name=name)
            self._keep()
            return self._added[name]

    def remove(self, spec: ModelSpec) -> None:
        with self._lock:
            self._added.pop(spec.name, None)
            self._keep()

    def _keep(self) -> None:
        if self._folder is not None:
            added_models.write(self._folder, tuple(self._added.values()))


@st.cache_resource(show_spinner=False)
def catalog() -> Catalog:
    """The one of this process."""
    chosen = service().settings
    return Catalog(chosen.data_dir if chosen.mode == "local" else None)


def title(spec: ModelSpec) -> str:
    """A model's name with what tells it from the same model otherwise: its precision."""
    if spec.backend in ("hugging_face", "keras_hub"):
        return f"{spec.name.removesuffix(f', {spec.precision}')} · {spec.precision}"
    return spec.name


def variants(spec: ModelSpec) -> tuple[ModelSpec, ...]:
    """`spec` and the same weights in the other precisions that this machine can load them in."""
    if spec.backend != "hugging_face":
        return (spec,)
    others = [
        replace(spec, quantization="none", dtype="float32"),
        replace(spec, quantization="none", dtype="bfloat16"),
        replace(spec, quantization="nf4", dtype="float32" if spec.device == "cpu" else "bfloat16"),
        replace(spec, quantization="int8", dtype="float32" if spec.device == "cpu" else "float16"),
    ]
    return (spec, *(other for other in others if other.precision != spec.precision))
