"""Forward passes that are kept for the next click: the same text's next row then costs its backward alone.

Kept beside the model object, so that they go with it. Whoever is asked about last is kept longest; what all kept
passes of a model take together is bounded, but for the one in use. Knows no method and no queue.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from core.models.language_model import GradientModel, Tape

Key = tuple[Any, ...]


class KeptTapes:
    """The passes of one model, the newest last. Used by the thread that has the model alone."""

    def __init__(self) -> None:
        self._held: OrderedDict[Key, tuple[ExitStack, Tape, int]] = OrderedDict()

    def get(self, key: Key) -> Tape | None:
        if key not in self._held:
            return None
        self._held.move_to_end(key)
        return self._held[key][1]

    def put(self, key: Key, stack: ExitStack, tape: Tape, size: int) -> None:
        self._held[key] = stack, tape, max(size, 1)

    def trim(self, max_bytes: int) -> None:
        """Let the oldest go until all take at most `max_bytes`; what takes nothing that is known counts as 1."""
        while sum(size for *_, size in self._held.values()) > max_bytes:
            _, (stack, tape, _) = self._held.popitem(last=False)
            del tape
            stack.close()


_KEPT: WeakKeyDictionary[Any, KeptTapes] = WeakKeyDictionary()


def kept(model: Any) -> KeptTapes:
    """The passes kept of `model`; they go when it goes."""
    return _KEPT.setdefault(model, KeptTapes())


@contextmanager
def kept_tape(
    model: GradientModel,
    ids: NDArray[np.int64],
    positions: NDArray[np.int64],
    size: int,
    max_bytes: int,
    **how: Any,
) -> Iterator[Tape]:
    """`model.tape(ids, positions, **how)`, from the last time where it was kept.

    `size` is what it is expected to take and `max_bytes` what all may; both in bytes. The newest stays until
    `trim` is called, however large, because its rows are still being asked for.
    """
    reach = int(positions[-1])
    key = (ids[: reach + 1].tobytes(), positions.tobytes(), *sorted(how.items()))
    mine = kept(model)
    tape = mine.get(key)
    if tape is None:
        mine.trim(max(0, max_bytes - size))  # before the new one, not after it
        stack = ExitStack()
        tape = stack.enter_context(model.tape(ids, positions, **how))
        mine.put(key, stack, tape, size)
    yield tape
