"""Stop within one layer: while a stop event is watched, every layer of a pass, forward and backward, asks it first.

A long prompt's pass takes seconds; whoever pressed Stop waits for one layer of it at most. Writing an answer is left
out: there Stop keeps the text so far (`decoding`). One thread uses a model at a time: the event stands with the model.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from core.errors import Stopped


class LayerStop:
    """The watch on the layers of one network."""

    def __init__(self, layers: list[Any]) -> None:
        self._stop: threading.Event | None = None
        for layer in layers:
            layer.register_forward_pre_hook(self._before)
            layer.register_forward_hook(self._behind)

    @contextmanager
    def watching(self, stop: threading.Event | None) -> Iterator[None]:
        """While it is open, a set `stop` ends a pass at its next layer by `Stopped`; None: nothing does."""
        before, self._stop = self._stop, stop
        try:
            yield
        finally:
            self._stop = before

    def check(self) -> None:
        """Raises: Stopped."""
        if self._stop is not None and self._stop.is_set():
            raise Stopped

    def _before(self, _layer: Any, _args: Any) -> None:
        self.check()

    def _behind(self, _layer: Any, _args: Any, output: Any) -> None:
        state = output[0] if isinstance(output, tuple) else output
        if isinstance(state, torch.Tensor) and state.requires_grad:
            state.register_hook(self._on_the_way_back)

    def _on_the_way_back(self, _gradient: torch.Tensor) -> None:
        self.check()
