"""Which parts of a prompt stay in whatever is taken out: as the person said, else the question or cue at the end.

Every page and method that takes parts out asks here. Indices count the person's own parts (`asked_parts`).
"""

from __future__ import annotations

from collections.abc import Sequence

from core.cause import proposed_locks
from core.records import Segment, digest
from core.service.causes import asked_parts
from core.ui.shell import state


def _key(own: Sequence[Segment]) -> str:
    return digest("locks", [part.text for part in own])


def locked_parts(parts: Sequence[Segment]) -> tuple[int, ...]:
    """Indices of the locked among the own of `parts`."""
    own = asked_parts(parts)
    return state.LOCKED.get({}).get(_key(own), proposed_locks(own))


def lock_parts(parts: Sequence[Segment], chosen: Sequence[int]) -> None:
    """From now on `chosen` are the locked ones."""
    own = asked_parts(parts)
    kept = tuple(sorted({index for index in chosen if 0 <= index < len(own)}))
    state.LOCKED.set({**state.LOCKED.get({}), _key(own): kept})


def locked_segments(parts: Sequence[Segment]) -> tuple[int, ...]:
    """As `locked_parts`, by the index of the prompt's segment."""
    own = asked_parts(parts)
    return tuple(own[index].index for index in locked_parts(parts))


def turn_lock(parts: Sequence[Segment], segment: int) -> None:
    """Lock the prompt's segment `segment`, or unlock it; a part of a chat template cannot be."""
    own = [part.index for part in asked_parts(parts)]
    if segment in own:
        lock_parts(parts, tuple(set(locked_parts(parts)) ^ {own.index(segment)}))
